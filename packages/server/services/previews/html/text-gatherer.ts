/** What is inside of these is not what the page is about. */
const aside: ReadonlySet<string> = new Set(
  [
    ['script', 'style', 'noscript', 'template', 'svg', 'math', 'iframe', 'object', 'canvas', 'video', 'audio'],
    ['nav', 'header', 'footer', 'aside', 'form', 'button', 'select', 'textarea', 'dialog', 'figure', 'table'],
  ].flat(),
);
const most = 8192;
/** Shorter paragraphs are labels and dates. */
const worthReading = 40;

export type PageTexts = { readonly title: string; readonly heading: string; readonly paragraph: string };

export interface TextGatherer {
  open(element: string): void;
  close(element: string): void;
  add(text: string): void;
  read(): PageTexts;
}

/** Gathers the title, the first heading and the first paragraph that says something. */
export function createTextGatherer(): TextGatherer {
  let title = '';
  let heading = '';
  let paragraph = '';
  let current = '';
  let place: 'title' | 'heading' | 'paragraph' | undefined;
  let skipping = 0;

  const append = (text: string, more: string): string => (text.length < most ? text + more.slice(0, most) : text);
  function endParagraph(): void {
    if (paragraph === '' && current.trim().length >= worthReading) paragraph = current;
    current = '';
  }

  return {
    open(element) {
      if (aside.has(element)) skipping += 1;
      if (skipping > 0) return;
      if (element === 'title' && title === '') place = 'title';
      else if (element === 'h1' && heading === '') place = 'heading';
      else if (element === 'p' && paragraph === '') place = 'paragraph';
      else if (element === 'br') current = append(current, ' ');
    },
    close(element) {
      if (aside.has(element)) skipping = Math.max(0, skipping - 1);
      else if (element === 'p') endParagraph();
      if (element === 'title' || element === 'h1' || element === 'p') place = undefined;
    },
    add(text) {
      if (skipping > 0) return;
      if (place === 'title') title = append(title, text);
      else if (place === 'heading') heading = append(heading, text);
      else if (place === 'paragraph') current = append(current, text);
    },
    read() {
      endParagraph();
      return { title, heading, paragraph };
    },
  };
}
