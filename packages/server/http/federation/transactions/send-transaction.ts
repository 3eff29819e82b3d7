import { sendTransaction as operation } from '../../../federation-api/transactions.ts';
import type { InboundTransactions } from '../../../services/federation/receiving/transactions.ts';
import type { FederationSender } from '../../../services/federation/sender/sender.ts';
import { endpoint } from '../../endpoint.ts';

type Services = { readonly inboundTransactions: InboundTransactions; readonly federationSender: FederationSender };

export const sendTransaction = endpoint(operation, ({ inboundTransactions, federationSender }: Services) => {
  return async ({ origin, params, body: { pdus = [], edus = [] } }) => {
    federationSender.heardOf(origin);
    return { pdus: await inboundTransactions.receive(origin, params.txnId, { pdus, edus }) };
  };
});
