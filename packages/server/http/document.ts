const style =
  'body{font:1rem/1.5 sans-serif;max-width:36rem;margin:3rem auto;padding:0 1rem}' +
  'label{display:block;margin:1rem 0}input,button{font:inherit;padding:.5rem 1rem}';

/** A page of the server's own: title and content are HTML. */
export function documentOf(title: string, content: string): string {
  return (
    `<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">` +
    `<meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title><style>${style}</style></head>\n` +
    `<body>\n<h1>${title}</h1>\n${content}\n</body>\n</html>\n`
  );
}
