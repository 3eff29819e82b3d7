import { MatrixError } from '../../errors/matrix-error.ts';

/** Whether both databases keep a text as it is: NUL is no part of any name, and a lone surrogate has no UTF-8 form. */
export const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();

/** Throws `request.invalid-param`. For what is in objects whose schema says nothing of what is in them. */
export function checkStorable(texts: readonly string[]): void {
  if (!texts.every(isStorable)) {
    throw new MatrixError('request.invalid-param', {
      message: 'Keys and their names hold neither NUL nor lone surrogates.',
    });
  }
}
