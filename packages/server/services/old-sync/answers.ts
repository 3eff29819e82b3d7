/** What the endpoints that came before `/sync` answer with. */
export type ClientEvent = { readonly type: string; readonly content: object; readonly [field: string]: unknown };

export type PaginationChunk = {
  /** Absent at the beginning of the room. */
  readonly start?: string;
  readonly end: string;
  readonly chunk: readonly ClientEvent[];
};

export type RoomInfo = {
  readonly room_id: string;
  /** Absent for somebody who looks in from outside. */
  readonly membership?: 'invite' | 'join' | 'leave' | 'ban' | 'knock';
  readonly invite?: ClientEvent;
  readonly messages?: PaginationChunk;
  readonly state?: readonly ClientEvent[];
  readonly visibility?: 'private' | 'public';
  readonly account_data?: readonly ClientEvent[];
};
