// What the processes of the fan-out benchmark say to each other.

/** How a server is asked to publish. */
export interface Load {
  /** Messages a second in all, spread evenly over the topics. */
  messagesPerSec: number;
  bytes: number;
  topics: number;
}

export interface ServerStats {
  cpuMs: number;
  /** Frames handed to sockets. */
  delivered: number;
  /** Socket writes they took. */
  writes: number;
  rssBytes: number;
}

export interface ListenerStats {
  cpuMs: number;
  frames: number;
  chunks: number;
  bytes: number;
  connected: number;
  p50Ms: number;
  p99Ms: number;
}

export const topicName = (index: number): string => `bench.${index}`;

/** Microseconds on the clock that all processes of this machine share. */
export function sharedUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

export const STAMP_OFFSET = 1e14;

/** JSON of exactly so many bytes that says when it was due. */
export function stamped(dueUs: number, bytes: number): Buffer {
  // A leading 1, because a JSON number may not start with 0.
  const head = `{"t":1${Math.round(dueUs).toString().padStart(14, '0')},"p":"`;
  return Buffer.from(`${head}${'x'.repeat(Math.max(0, bytes - head.length - 2))}"}`);
}

/** Calls `publish` for each message when it is due; lateness of this timer counts as latency. */
export function steadily(load: Load, publish: (topic: string, data: Buffer) => void): () => void {
  const startUs = sharedUs();
  let sent = 0;
  const timer = setInterval(() => {
    const dueCount = Math.floor(((sharedUs() - startUs) / 1e6) * load.messagesPerSec);
    for (; sent < dueCount; sent++) {
      publish(
        topicName(sent % load.topics),
        stamped(startUs + (sent / load.messagesPerSec) * 1e6, load.bytes),
      );
    }
  }, 2);
  return () => clearInterval(timer);
}
