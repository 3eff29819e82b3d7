import { Type } from 'typebox';

export const wellKnown = Type.Object(
  { 'm.homeserver': Type.Object({ base_url: Type.String() }, { title: 'HomeserverInformation' }) },
  { title: 'ClientWellKnown' },
);
