import { isList, isObject, type Json } from './json.ts';

/** What a server makes up: IDs of events, of rooms and of media. */
const madeUp = /^(?:\$[\w-]{20,}|![\w-]{10,}(?::.*)?|mxc:\/\/.+)$/;

export const isMadeUp = (text: string): boolean => madeUp.test(text);

/** Which ID of Portico's stands for the same as which of Synapse's. */
export interface Pairing {
  /** Whether the two may be one: they are from then on. */
  pair(portico: string, synapse: string): boolean;
  /** With Synapse's IDs for those of Portico's that are known. */
  toSynapse(text: string): string;
  translate(json: Json): Json;
  /** Whether one of Synapse's has its counterpart. */
  isTaken(synapse: string): boolean;
  /** What is paired from now on can be forgotten. */
  mark(): () => void;
}

export function createPairing(): Pairing {
  const toSynapse = new Map<string, string>();
  const taken = new Set<string>();

  function translateText(text: string): string {
    return toSynapse.get(text) ?? text;
  }

  function translate(json: Json): Json {
    if (typeof json === 'string') return translateText(json);
    if (isList(json)) return json.map(translate);
    if (!isObject(json)) return json;
    return Object.fromEntries(Object.entries(json).map(([key, value]) => [translateText(key), translate(value)]));
  }

  return {
    pair(portico, synapse) {
      const known = toSynapse.get(portico);
      if (known !== undefined) return known === synapse;
      // Of two that have been translated already, one is not the other.
      if (taken.has(portico) || taken.has(synapse)) return false;
      toSynapse.set(portico, synapse);
      taken.add(synapse);
      return true;
    },
    toSynapse: translateText,
    translate,
    isTaken: (synapse) => taken.has(synapse),
    mark() {
      const before = toSynapse.size;
      return () => {
        for (const [portico, synapse] of [...toSynapse].slice(before)) {
          toSynapse.delete(portico);
          taken.delete(synapse);
        }
      };
    },
  };
}
