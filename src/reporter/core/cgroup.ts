// (1) What a container may use: CPU quota, memory limit and throttling, from the text of Linux control
// groups v1 and v2. Pure: files come in through `read`, so that every layout is a fixture. Node itself sees
// neither quota nor throttling (`os.availableParallelism` counts cores).
// Source: kernel documentation, admin-guide/cgroup-v2.rst and scheduler/sched-bwc.rst.

/** Content of a file, or undefined when it cannot be read. */
export type ReadText = (path: string) => string | undefined;

export interface CgroupLimits {
  /** Cores the tightest quota of the group or any parent allows; undefined = no quota. */
  quotaCores: number | undefined;
  /** The tightest memory limit; undefined = none. */
  memory: MemoryLimit | undefined;
  /** `cpu.stat` of the group that holds the tightest quota: the one that throttles. */
  statPath: string | undefined;
  /** Where that group's CPU use is counted, when `cpu.stat` does not hold it (v1). */
  usagePath: string | undefined;
}

export interface MemoryLimit {
  bytes: number;
  /** Where the use of the group it holds for is told. */
  usePath: string;
  statPath: string;
}

export interface CpuStat {
  periods: number;
  throttledPeriods: number;
  /** CPU time of the whole group in microseconds; undefined in v1, which keeps it in `cpuacct.usage`. */
  usageUs: number | undefined;
}

interface Mount {
  version: 1 | 2;
  /** Part of the hierarchy that is mounted here; containers often see only their own. */
  root: string;
  point: string;
  controllers: readonly string[];
}

/** Lines `id:controllers:path`; v2 has id 0 and no controllers, kept under the empty name. */
function parseMembership(procSelfCgroup: string): Map<string, string> {
  const paths = new Map<string, string>();
  for (const line of procSelfCgroup.split('\n')) {
    const parts = /^\d+:([^:]*):(\/.*)$/.exec(line);
    if (!parts) continue;
    for (const controller of parts[1]!.split(',')) paths.set(controller, parts[2]!);
  }
  return paths;
}

/** The cgroup mounts of `/proc/self/mountinfo` (proc_pid_mountinfo(5)). */
function parseMounts(mountinfo: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of mountinfo.split('\n')) {
    const [left, right] = line.split(' - ');
    const columns = left?.split(' ') ?? [];
    const [type, , superOptions] = right?.split(' ') ?? [];
    if (columns.length < 5 || (type !== 'cgroup' && type !== 'cgroup2')) continue;
    mounts.push({
      version: type === 'cgroup2' ? 2 : 1,
      root: unescaped(columns[3]!),
      point: unescaped(columns[4]!),
      controllers: type === 'cgroup' ? (superOptions ?? '').split(',') : [],
    });
  }
  return mounts;
}

/** Spaces and the like are written as three octal digits. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** The group's directory and its parents up to the mount, innermost first. */
export function groupDirectories(path: string, mount: { root: string; point: string }): string[] {
  const inside = mount.root !== '/' && path.startsWith(mount.root) ? path.slice(mount.root.length) : path;
  const steps = inside.split('/').filter((step) => step !== '' && step !== '..');
  const directories: string[] = [];
  for (let depth = steps.length; depth >= 0; depth--) {
    directories.push([mount.point, ...steps.slice(0, depth)].join('/'));
  }
  return directories;
}

/** v2 `cpu.max`: "max 100000" or "50000 100000". Cores, or undefined without a limit. */
export function parseCpuMax(text: string): number | undefined {
  const [quota, period] = text.trim().split(/\s+/);
  return positiveRatio(Number(quota), Number(period ?? 100_000));
}

/** v1 `cpu.cfs_quota_us` (-1 = no limit) and `cpu.cfs_period_us`. */
export function parseCfsQuota(quotaUs: string, periodUs: string): number | undefined {
  return positiveRatio(Number(quotaUs), Number(periodUs));
}

function positiveRatio(quota: number, period: number): number | undefined {
  return quota > 0 && period > 0 && Number.isFinite(quota / period) ? quota / period : undefined;
}

/** `cpu.stat` of either version. */
export function parseCpuStat(text: string): CpuStat {
  const values = new Map<string, string | undefined>();
  for (const line of text.split('\n')) {
    const [name, value] = line.split(' ');
    values.set(name!, value);
  }
  const value = (name: string): number => Number(values.get(name) ?? 0) || 0;
  return {
    periods: value('nr_periods'),
    throttledPeriods: value('nr_throttled'),
    usageUs: values.has('usage_usec') ? value('usage_usec') : undefined,
  };
}

/** v1 writes "no limit" as the largest multiple of the page size, v2 as "max". */
const NO_MEMORY_LIMIT_BYTES = 2 ** 60;

export function parseMemoryLimit(text: string): number | undefined {
  const bytes = Number(text.trim());
  return bytes > 0 && bytes < NO_MEMORY_LIMIT_BYTES ? bytes : undefined;
}

/** What a group could not give back at once: all but file pages that nobody used lately, as the kubelet counts. */
export function groupMemoryBytes(use: string, stat: string): number {
  // v1 has the sum over all groups below under a name of its own.
  const idle = /^total_inactive_file (\d+)$/m.exec(stat) ?? /^inactive_file (\d+)$/m.exec(stat);
  return Math.max(0, (Number(use.trim()) || 0) - Number(idle?.[1] ?? 0));
}

/** Finds this process's groups and the tightest limits above it. Never throws; no cgroups = no limits. */
export function readCgroupLimits(read: ReadText): CgroupLimits {
  const paths = parseMembership(read('/proc/self/cgroup') ?? '');
  const mounts = parseMounts(read('/proc/self/mountinfo') ?? '');
  const limits: CgroupLimits = {
    quotaCores: undefined,
    memory: undefined,
    statPath: undefined,
    usagePath: undefined,
  };
  for (const mount of mounts) {
    if (mount.version === 2) {
      for (const directory of groupDirectories(paths.get('') ?? '/', mount)) {
        const cores = parseCpuMax(read(`${directory}/cpu.max`) ?? '');
        tightenCores(limits, cores, `${directory}/cpu.stat`, undefined);
        tightenMemory(limits, read, directory, 'memory.max', 'memory.current');
      }
      continue;
    }
    if (mount.controllers.includes('cpu')) {
      const accounting = mounts.find((other) => other.controllers.includes('cpuacct'));
      const accountingPath = paths.get('cpuacct');
      for (const directory of groupDirectories(paths.get('cpu') ?? '/', mount)) {
        const quotaUs = read(`${directory}/cpu.cfs_quota_us`) ?? '';
        const cores = parseCfsQuota(quotaUs, read(`${directory}/cpu.cfs_period_us`) ?? '');
        // The same group in both hierarchies: only then is its use the one that the quota limits.
        const usagePath =
          accounting && accountingPath === paths.get('cpu')
            ? `${accounting.point}${directory.slice(mount.point.length)}/cpuacct.usage`
            : undefined;
        tightenCores(limits, cores, `${directory}/cpu.stat`, usagePath);
      }
    }
    if (mount.controllers.includes('memory')) {
      for (const directory of groupDirectories(paths.get('memory') ?? '/', mount)) {
        tightenMemory(limits, read, directory, 'memory.limit_in_bytes', 'memory.usage_in_bytes');
      }
    }
  }
  return limits;
}

function tightenCores(
  limits: CgroupLimits,
  cores: number | undefined,
  statPath: string,
  usagePath: string | undefined,
): void {
  if (cores === undefined || cores >= (limits.quotaCores ?? Infinity)) return;
  limits.quotaCores = cores;
  limits.statPath = statPath;
  limits.usagePath = usagePath;
}

function tightenMemory(
  limits: CgroupLimits,
  read: ReadText,
  directory: string,
  limitFile: string,
  useFile: string,
): void {
  const bytes = parseMemoryLimit(read(`${directory}/${limitFile}`) ?? '');
  if (bytes === undefined || bytes >= (limits.memory?.bytes ?? Infinity)) return;
  limits.memory = { bytes, usePath: `${directory}/${useFile}`, statPath: `${directory}/memory.stat` };
}
