import { Type } from 'typebox';

export const wellKnown = Type.Object(
  {
    'm.homeserver': Type.Object({ base_url: Type.String() }, { title: 'HomeserverInformation' }),
    'org.matrix.msc4143.rtc_foci': Type.Optional(
      Type.Array(Type.Object({ type: Type.String() }, { title: 'RtcTransport' })),
    ),
  },
  { title: 'ClientWellKnown' },
);
