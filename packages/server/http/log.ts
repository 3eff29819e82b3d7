/** The part of a logger that HTTP uses; a pino logger is one. */
export interface HttpLog {
  error(fields: object, message: string): void;
  debug(fields: object, message: string): void;
  isLevelEnabled(level: string): boolean;
}
