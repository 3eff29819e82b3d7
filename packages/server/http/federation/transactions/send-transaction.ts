import { sendTransaction as operation } from '../../../federation-api/transactions.ts';
import type { InboundTransactions } from '../../../services/federation/receiving/transactions.ts';
import { endpoint } from '../../endpoint.ts';

type Services = { readonly inboundTransactions: InboundTransactions };

export const sendTransaction = endpoint(operation, ({ inboundTransactions }: Services) => {
  return async ({ origin, params, body: { pdus = [], edus = [] } }) => {
    return { pdus: await inboundTransactions.receive(origin, params.txnId, { pdus, edus }) };
  };
});
