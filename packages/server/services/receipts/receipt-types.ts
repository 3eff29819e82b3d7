/** {@link https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidreceiptreceipttypeeventid} */
export const receiptTypes = ['m.read', 'm.read.private', 'm.fully_read'] as const;
export type ReceiptType = (typeof receiptTypes)[number];

export function isReceiptType(value: string): value is ReceiptType {
  return (receiptTypes as readonly string[]).includes(value);
}

/** The thread ID of what is in no thread. */
export const mainThread = 'main';
