import type { Receipts } from '../../../services/receipts/receipts.ts';
import type { Endpoint } from '../../endpoint.ts';
import { sendReceipt } from './send-receipt.ts';
import { setReadMarker } from './set-read-marker.ts';

/** What says how far people have read. */
export const receiptEndpoints: readonly Endpoint<{ receipts: Receipts }>[] = [sendReceipt, setReadMarker];
