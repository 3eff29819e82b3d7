import type { Tags } from '../../../services/tags/tags.ts';
import type { Endpoint } from '../../endpoint.ts';
import { deleteRoomTag, getRoomTags, setRoomTag } from './room-tags.ts';

export const tagEndpoints: readonly Endpoint<{ tags: Tags }>[] = [getRoomTags, setRoomTag, deleteRoomTag];
