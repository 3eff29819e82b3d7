import { rtcTransport, turnServer } from '../call-types.ts';
import { optional, section, setting } from '../setting.ts';
import { list } from '../structured-types.ts';

export const calls = section('What calls between people need.', {
  transports: setting(list(rtcTransport), {
    default: '[]',
    help:
      'What carries the media of calls (MSC4143), the best first. Clients are told all of it, by .well-known/matrix/client even before ' +
      'anybody logs in: put no secrets here.',
    example: '[{ type: livekit, livekit_service_url: "https://calls.example.org" }]',
  }),
  turn: optional(turnServer, {
    help:
      'The TURN server for calls between two people, and the secret that it shares with this server (static-auth-secret of coturn). ' +
      'Credentials last for lifetime seconds: a day, unless you say otherwise.',
    example:
      '{ uris: ["turn:turn.example.org:3478?transport=udp"], shared_secret: a long random text, lifetime: 86400 }',
    secret: true,
  }),
});
