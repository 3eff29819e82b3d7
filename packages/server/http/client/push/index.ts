import type { Pushers } from '../../../services/push/pushers.ts';
import type { Endpoint } from '../../endpoint.ts';
import { getPushers, postPusher } from './pushers.ts';

/** On what people are told of what happens. */
export const pushEndpoints: readonly Endpoint<{ pushers: Pushers }>[] = [getPushers, postPusher];
