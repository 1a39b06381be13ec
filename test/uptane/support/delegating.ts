/** Vehicles whose image repository delegates, for tests of delegations. */
import { beforeEach, expect } from 'vitest';
import { type Custom, type TestRepository } from './test-repository.js';
import { FIRMWARE, match, TestWorld } from './test-vehicle.js';

export let world: TestWorld;
export let image: TestRepository;
export type Role = TestRepository['targets'];
export let top: Role;
/** Replaces the test's world. */
export function enter(next: TestWorld): void {
  world = next;
  ({ image } = world);
  top = image.targets;
}

/** Call it once at the top level of a test file: each test gets a new world in which the firmware is ordered. */
export const newWorldForEachTest = (): void =>
  beforeEach(() => {
    enter(new TestWorld().order());
    top.targets = {};
  });

/** Applies to the firmware, unless a test changes it. */
const ALL = { paths: ['brakes/*'] };

/** A role that lists the firmware: the right image, or another of the same length. */
export function lister(name: string, content = 'firmware'): Role {
  const role = image.addRole(name);
  image.addImage(FIRMWARE, Buffer.from(content), { match: match() }, role);
  return role;
}
export const passer = (name: string): Role => image.addRole(name);
export const follow = (from: Role, name: string, details: Custom = {}) =>
  image.delegate(from, name, { ...ALL, ...details });
export const followMany = (from: Role, names: string[], details: Custom = {}) =>
  image.delegateToMany(from, names, { ...ALL, ...details });

export const visited = () =>
  world.imageFetcher.requests
    .map((path) => /^1\.(?!targets|snapshot)(.*)\.json$/.exec(path)?.[1])
    .filter((name) => name !== undefined && name !== '');

export async function found() {
  world.provision();
  expect(await world.paths()).toEqual([FIRMWARE]);
}
export async function refused(code: string) {
  world.provision();
  expect((await world.refusal()).code).toBe(code);
}
