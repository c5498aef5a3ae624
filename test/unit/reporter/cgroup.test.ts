import { describe, expect, it } from 'vitest';
import type { ReadText } from '../../../src/reporter/core/cgroup.ts';
import {
  groupDirectories,
  groupMemoryBytes,
  parseCfsQuota,
  parseCpuMax,
  parseCpuStat,
  parseMemoryLimit,
  readCgroupLimits,
} from '../../../src/reporter/core/cgroup.ts';
import { descriptorLimit } from '../../../src/daemon/descriptors.ts';

const files =
  (content: Record<string, string>): ReadText =>
  (path) =>
    content[path];

const V1_MOUNTS = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`;
const V2_MOUNTS = '29 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n';

describe('cgroup v1', () => {
  const paths = '4:memory:/box\n3:cpu,cpuacct:/box\n0::/\n';
  const cpu = '/sys/fs/cgroup/cpu,cpuacct';

  it('reads quota, throttling and use of the group', () => {
    const limits = readCgroupLimits(
      files({
        '/proc/self/cgroup': paths,
        '/proc/self/mountinfo': V1_MOUNTS,
        [`${cpu}/box/cpu.cfs_quota_us`]: '50000\n',
        [`${cpu}/box/cpu.cfs_period_us`]: '100000\n',
        [`${cpu}/cpu.cfs_quota_us`]: '-1\n',
        [`${cpu}/cpu.cfs_period_us`]: '100000\n',
        '/sys/fs/cgroup/memory/box/memory.limit_in_bytes': '536870912\n',
        '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      }),
    );
    expect(limits).toEqual({
      quotaCores: 0.5,
      memory: {
        bytes: 536_870_912,
        usePath: '/sys/fs/cgroup/memory/box/memory.usage_in_bytes',
        statPath: '/sys/fs/cgroup/memory/box/memory.stat',
      },
      statPath: `${cpu}/box/cpu.stat`,
      usagePath: `${cpu}/box/cpuacct.usage`,
    });
  });

  it('finds no limit where there is none', () => {
    const limits = readCgroupLimits(
      files({
        '/proc/self/cgroup': '3:cpu,cpuacct:/\n',
        '/proc/self/mountinfo': V1_MOUNTS,
        [`${cpu}/cpu.cfs_quota_us`]: '-1\n',
        [`${cpu}/cpu.cfs_period_us`]: '100000\n',
      }),
    );
    expect(limits).toEqual({
      quotaCores: undefined,
      memory: undefined,
      statPath: undefined,
      usagePath: undefined,
    });
  });

  it('does not take the use of another group for the one the quota limits', () => {
    const limits = readCgroupLimits(
      files({
        '/proc/self/cgroup': '2:cpu:/a\n3:cpuacct:/b\n',
        '/proc/self/mountinfo': V1_MOUNTS,
        [`${cpu}/a/cpu.cfs_quota_us`]: '150000',
        [`${cpu}/a/cpu.cfs_period_us`]: '100000',
      }),
    );
    expect(limits.quotaCores).toBe(1.5);
    expect(limits.usagePath).toBeUndefined();
  });
});

describe('cgroup v2', () => {
  it('takes the tightest limit of the group and its parents', () => {
    const limits = readCgroupLimits(
      files({
        '/proc/self/cgroup': '0::/pod/container/app\n',
        '/proc/self/mountinfo': V2_MOUNTS,
        '/sys/fs/cgroup/pod/container/app/cpu.max': 'max 100000\n',
        '/sys/fs/cgroup/pod/container/app/memory.max': '1073741824\n',
        '/sys/fs/cgroup/pod/container/cpu.max': '25000 50000\n',
        '/sys/fs/cgroup/pod/container/memory.max': 'max\n',
        '/sys/fs/cgroup/pod/cpu.max': '200000 100000\n',
        '/sys/fs/cgroup/pod/memory.max': '268435456\n',
      }),
    );
    expect(limits).toEqual({
      quotaCores: 0.5,
      memory: {
        bytes: 268_435_456,
        usePath: '/sys/fs/cgroup/pod/memory.current',
        statPath: '/sys/fs/cgroup/pod/memory.stat',
      },
      statPath: '/sys/fs/cgroup/pod/container/cpu.stat',
      usagePath: undefined,
    });
  });

  it('finds its group where a container sees only its own part of the hierarchy', () => {
    const limits = readCgroupLimits(
      files({
        '/proc/self/cgroup': '0::/docker/abc\n',
        '/proc/self/mountinfo': '29 23 0:26 /docker/abc /sys/fs/cgroup\\040here rw - cgroup2 cgroup2 rw\n',
        '/sys/fs/cgroup here/cpu.max': '100000 100000\n',
      }),
    );
    expect(limits.quotaCores).toBe(1);
  });

  it('never leaves the mount, whatever the path says', () => {
    expect(groupDirectories('/../../etc', { root: '/', point: '/sys/fs/cgroup' })).toEqual([
      '/sys/fs/cgroup/etc',
      '/sys/fs/cgroup',
    ]);
  });
});

describe('single files', () => {
  it.each([
    ['max 100000', undefined],
    ['50000 100000\n', 0.5],
    ['50000', 0.5],
    ['', undefined],
    ['0 0', undefined],
    ['nonsense', undefined],
    ['-1 100000', undefined],
  ])('cpu.max %j is %s cores', (text, cores) => expect(parseCpuMax(text)).toBe(cores));

  it.each([
    ['-1', '100000', undefined],
    ['50000', '100000', 0.5],
    ['', '', undefined],
    ['100000', '0', undefined],
  ])('quota %j of %j is %s cores', (quota, period, cores) =>
    expect(parseCfsQuota(quota, period)).toBe(cores),
  );

  it.each([
    ['max', undefined],
    ['9223372036854771712', undefined],
    ['536870912\n', 536_870_912],
    ['', undefined],
  ])('memory limit %j is %s', (text, bytes) => expect(parseMemoryLimit(text)).toBe(bytes));

  it.each([
    ['v1', 'cache 9\ninactive_file 100\ntotal_inactive_file 300\n', 700],
    ['v2', 'anon 9\ninactive_file 200\nactive_file 5\n', 800],
    ['neither', '', 1_000],
    ['v2, while it changes', 'inactive_file 1001\n', 0],
  ])('leaves out of a use of 1,000 what %s could give back', (_, stat, bytes) =>
    expect(groupMemoryBytes('1000\n', stat)).toBe(bytes),
  );

  it('reads cpu.stat of both versions', () => {
    expect(parseCpuStat('nr_periods 56\nnr_throttled 43\nthrottled_time 99\n')).toEqual({
      periods: 56,
      throttledPeriods: 43,
      usageUs: undefined,
    });
    expect(parseCpuStat('usage_usec 12345\nuser_usec 1\nnr_periods 2\nnr_throttled 1\n')).toEqual({
      periods: 2,
      throttledPeriods: 1,
      usageUs: 12_345,
    });
    expect(parseCpuStat('')).toEqual({ periods: 0, throttledPeriods: 0, usageUs: undefined });
  });

  it('knows no limits without cgroups, as on macOS', () => {
    expect(readCgroupLimits(() => undefined).quotaCores).toBeUndefined();
  });

  it('reads the descriptor limit', () => {
    expect(
      descriptorLimit('Max cpu time   unlimited\nMax open files            20000   524288   files\n'),
    ).toBe(20_000);
    expect(descriptorLimit('Max open files            unlimited   unlimited   files\n')).toBeUndefined();
    expect(descriptorLimit('')).toBeUndefined();
  });
});
