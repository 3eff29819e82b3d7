import { Type } from 'typebox';

export const fieldParams = Type.Object({ userId: Type.String(), keyName: Type.String() });
export const unstableFieldPath = '/_matrix/client/unstable/uk.tcpip.msc4133/profile/:userId/:keyName';
