/**
 * The vectors that Synapse decides otherwise, by file and name, and why. In each, Portico follows the text.
 */
export const knownDifferences: Readonly<Record<string, string>> = {
  'power-levels.json: a key longer than an ID may be':
    '"keys that are valid user IDs": these have at most 255 bytes. Synapse looks for the sigil and a colon only.',
  'power-levels.json: a key whose server is no server name':
    '"keys that are valid user IDs": these end in a server name. Synapse looks for the sigil and a colon only.',
  'power-levels.json: a level that is a boolean':
    'A boolean is neither an integer nor a string. Synapse reads true as 1, as its language does.',
  'power-levels.json: a level that is a string with an underscore':
    '"a single base 10 integer" of digits. Synapse reads 5_0 as 50, as its language does.',
  'power-levels.json: a level that is a string with digits of another script':
    '"a single base 10 integer". Synapse reads the digits of any script, as its language does.',
  'redaction.json: of nothing':
    'An event that redacts nothing has no event ID with the same domain. Synapse lets it pass, and then redacts nothing.',
  'room.json: a room ID that is not of the create event':
    'Synapse finds the create event by the room ID, so that its function is never given another one.',
  'room.json: a user of another server where m.federate is null':
    '"has the property `m.federate` set to `false`". Synapse asks whether it is anything but `true`.',
  'room.json: a user of another server where m.federate is the text false': 'As for null.',
  'room.json: a user of another server where m.federate is 0': 'As for null.',
  'room.json: an invite to another server from a room for one server':
    'The text asks for the domain of the sender. Synapse also asks for that of the user whose membership it is. Other servers never see such a room.',
  'third-party-invite.json: the second signature is by the key':
    '"If any signature in `signed` matches any public key". Synapse gives up on a key at the first signature that is not by it.',
};
