import { MatrixError } from '../errors/matrix-error.ts';
import { hasTooManyPieces } from '../services/body-pieces.ts';

// Not by an import, which makes more of it than is needed.
const { IncomingMessage } = process.getBuiltinModule('node:http');

/**
 * What Node makes of a request. All of a body passes through here, whoever reads it, and also where nobody wants it; its
 * connection is ended where it comes in too many pieces.
 */
export class CountedRequest extends IncomingMessage {
  #pieces = 0;
  #bytes = 0;
  #began = 0;

  override push(chunk: Buffer | null): boolean {
    if (chunk === null) return super.push(chunk);
    // The parser still has what had come by then.
    if (this.destroyed) return false;
    if (this.#pieces === 0) this.#began = performance.now();
    this.#pieces += 1;
    this.#bytes += chunk.length;
    if (!hasTooManyPieces(this.#pieces, this.#bytes, performance.now() - this.#began)) return super.push(chunk);
    this.destroy(new MatrixError('request.too-many-pieces'));
    return false;
  }
}

/** Reads on where nobody does: Node itself would, once the request has been answered, but without counting. */
export function readUnwanted(request: InstanceType<typeof IncomingMessage>): void {
  const { complete, headers } = request;
  const hasBody = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
  if (hasBody && !complete) request.resume();
}
