// Where ZooKeeper is, as operators write it.

import { describe, expect, it } from 'vitest';
import { parsePartName } from '../../../src/cluster/paths.ts';
import { checkZookeeperOptions, parseZookeeperAddress } from '../../../src/cluster/zookeeper-address.ts';

describe('ZooKeeper address', () => {
  it.each([
    ['zk1:2181', ['zk1:2181'], ''],
    ['zk1', ['zk1:2181'], ''],
    ['10.0.0.1:1,10.0.0.2:2, zk-3.example:3/a/b', ['10.0.0.1:1', '10.0.0.2:2', 'zk-3.example:3'], '/a/b'],
    ['zk1:2181/', ['zk1:2181'], ''],
    ['zk1:2181/prod/', ['zk1:2181'], '/prod'],
  ])('reads %s', (text, servers, chroot) => {
    expect(parseZookeeperAddress(text)).toEqual({ servers, chroot });
  });

  it.each([
    '',
    ',',
    'zk1:0',
    'zk1:70000',
    'zk1:x',
    '[::1]:2181',
    'http://zk1:2181',
    'zk1:2181//a',
    'zk1:2181/a/../b',
  ])('refuses %j and says what it expects', (text) => {
    expect(() => parseZookeeperAddress(text)).toThrow(/expected/);
  });
});

describe('part name', () => {
  it('splits at the last dot, since a Herald id may hold dots', () => {
    expect(parsePartName('herald-1.eu.example.12')).toEqual({ heraldId: 'herald-1.eu.example', index: 12 });
    expect(parsePartName('h.0')).toEqual({ heraldId: 'h', index: 0 });
    expect(parsePartName('no-index')).toBeUndefined();
    expect(parsePartName('.1')).toBeUndefined();
  });
});

it.each(['secret', ':secret', 'user:', ' '])(
  'credentials that are no user and password are refused: %j',
  (auth) => {
    expect(() => checkZookeeperOptions({ zookeeper: '', zookeeperAuth: auth })).toThrow(
      '--zookeeper-auth: expected user:password',
    );
  },
);

it.each(['', 'user:password', 'user:pass:word'])('credentials that ZooKeeper takes are taken: %j', (auth) => {
  checkZookeeperOptions({ zookeeper: '', zookeeperAuth: auth });
});
