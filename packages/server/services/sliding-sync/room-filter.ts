import type { Candidate } from './candidate.ts';
import type { SlidingFilters } from './request.ts';
import type { RoomFacts } from './room-facts.ts';

export type RoomTest = (room: Candidate) => boolean;

/** What filters look at; each part is loaded only if a filter asks for it. */
export type FilterSources = {
  readonly facts: () => Promise<(room: Candidate) => RoomFacts | undefined>;
  readonly direct: () => Promise<ReadonlySet<string>>;
  readonly tags: () => Promise<ReadonlyMap<string, ReadonlySet<string>>>;
  /** The children of those of some spaces, by ID, that the user is joined to. */
  readonly children: (spaces: readonly string[]) => Promise<ReadonlySet<string>>;
};

/** All fields of a filter must hold. {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4186} */
export async function roomTest(filters: SlidingFilters, sources: FilterSources): Promise<RoomTest> {
  const tests: RoomTest[] = [];
  const { isDm, isInvite, spaces } = filters;
  if (isInvite !== undefined) tests.push((room) => (room.membership === 'invite') === isInvite);
  if (isDm !== undefined) {
    const direct = await sources.direct();
    tests.push((room) => direct.has(room.id) === isDm);
  }
  if (spaces !== undefined) {
    const children = await sources.children(spaces);
    tests.push((room) => children.has(room.id));
  }
  if (filters.tags !== undefined || filters.notTags !== undefined) {
    tests.push(tagTest(filters, await sources.tags()));
  }
  const factTests = testsOfFacts(filters);
  if (factTests.length > 0) {
    const factsOf = await sources.facts();
    tests.push((room) => {
      const facts = factsOf(room);
      return facts !== undefined && factTests.every((test) => test(facts));
    });
  }
  return (room) => tests.every((test) => test(room));
}

function tagTest({ tags, notTags }: SlidingFilters, known: ReadonlyMap<string, ReadonlySet<string>>): RoomTest {
  const has = (room: Candidate, wanted: readonly string[]) => wanted.some((tag) => known.get(room.id)?.has(tag));
  return (room) => (tags === undefined || has(room, tags)) && (notTags === undefined || !has(room, notTags));
}

function testsOfFacts({ isEncrypted, roomTypes, notRoomTypes, nameLike }: SlidingFilters) {
  const tests: ((facts: RoomFacts) => boolean)[] = [];
  if (isEncrypted !== undefined) tests.push((facts) => facts.encrypted === isEncrypted);
  if (roomTypes !== undefined) tests.push((facts) => roomTypes.includes(facts.type ?? null));
  if (notRoomTypes !== undefined) tests.push((facts) => !notRoomTypes.includes(facts.type ?? null));
  if (nameLike !== undefined) {
    const wanted = nameLike.toLowerCase();
    tests.push((facts) => facts.name?.toLowerCase().includes(wanted) === true);
  }
  return tests;
}
