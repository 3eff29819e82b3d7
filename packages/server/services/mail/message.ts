/** What an email says, in two forms of the same. */
export type MailContent = {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Where programs that show mail let people say that they want no more of the kind, by a POST. */
  readonly unsubscribe?: string;
};

/** A paragraph of text, or a link that stands by itself. */
export type Paragraph = string | { readonly link: string };

/** Makes an email of paragraphs. What is in them may come from anybody: nothing of it becomes markup. */
export function writeMail(subject: string, paragraphs: readonly Paragraph[]): MailContent {
  const text = paragraphs.map((paragraph) => (typeof paragraph === 'string' ? paragraph : paragraph.link));
  const html = paragraphs.map((paragraph) => {
    if (typeof paragraph === 'string') return `<p>${escapeHtml(paragraph)}</p>`;
    const address = escapeHtml(paragraph.link);
    return `<p><a href="${address}">${address}</a></p>`;
  });
  return {
    subject: oneLine(subject),
    text: `${text.join('\n\n')}\n`,
    html: `<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>${escapeHtml(subject)}</title></head>\n<body>\n${html.join('\n')}\n</body>\n</html>\n`,
  };
}

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A header is one line, whoever chose what is in it. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ');
}
