/** What the page knows of a room. */
export type RoomInfo = {
  readonly id: string;
  readonly name: string;
  /** An address such as `#room:example.org`, where it has one. */
  readonly alias: string | undefined;
  readonly kind: RoomKind;
  /** The room that has taken its place. */
  readonly replacement: string | undefined;
  /** The rooms of a space. */
  readonly children: readonly string[];
};

export type RoomKind = 'direct' | 'private' | 'public' | 'space';

export const roomKinds: readonly RoomKind[] = ['direct', 'private', 'public', 'space'];

export const kindTitles: Readonly<Record<RoomKind, string>> = {
  direct: 'Direct chats',
  private: 'Private rooms',
  public: 'Public rooms',
  space: 'Spaces',
};
