// What the processes of the fan-out benchmark say to each other.

/** How a server is asked to publish. */
export interface Load {
  /** Messages a second in all, spread evenly over the topics. */
  messagesPerSec: number;
  bytes: number;
  topics: number;
}

/** What a server of ours says of itself. */
export interface ServerStats {
  /** Frames handed to sockets, and the socket writes they took. */
  delivered: number;
  writes: number;
  /** How late the loop was since the last question, ms. */
  loopP99Ms: number;
  loopMaxMs: number;
}

export interface ClientStats {
  frames: number;
  reads: number;
  bytes: number;
  connected: number;
  /** Frames whose latency was taken. */
  timed: number;
  p50Ms: number;
  p99Ms: number;
}

/** Four digits, because the load client writes them in place. */
export const topicName = (index: number): string => `bench.${String(index).padStart(4, '0')}`;

/** Microseconds on the clock that all processes of this machine share. */
function sharedUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

const WORDS =
  'order price user region status total items shipped pending euro dollar id note from with'.split(' ');
const BODIES = 64;
const bodies = new Map<number, string[]>();

/** Words and numbers that differ from message to message: a row of x would flatter every compressor. */
function bodyOf(bytes: number, index: number): string {
  let made = bodies.get(bytes);
  if (!made) {
    let seed = 1;
    const draw = (below: number): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    made = Array.from({ length: BODIES }, () => {
      let text = '';
      while (text.length < bytes) text += `${WORDS[draw(WORDS.length)]!} ${draw(100_000)} `;
      return text.slice(0, bytes);
    });
    bodies.set(bytes, made);
  }
  return made[index % BODIES]!;
}

/** JSON of exactly so many bytes that says when it was due. */
function stamped(dueUs: number, bytes: number, index: number): Buffer {
  // A leading 1, because a JSON number may not start with 0.
  const head = `{"t":1${Math.round(dueUs).toString().padStart(14, '0')},"p":"`;
  return Buffer.from(`${head}${bodyOf(Math.max(0, bytes - head.length - 2), index)}"}`);
}

/** Calls `publish` for each message when it is due; lateness of this timer counts as latency. */
export function steadily(load: Load, publish: (topic: string, data: Buffer) => void): () => void {
  const startUs = sharedUs();
  let sent = 0;
  const timer = setInterval(() => {
    const dueCount = Math.floor(((sharedUs() - startUs) / 1e6) * load.messagesPerSec);
    for (; sent < dueCount; sent++) {
      const dueUs = startUs + ((sent + 1) / load.messagesPerSec) * 1e6;
      publish(topicName(sent % load.topics), stamped(dueUs, load.bytes, sent));
    }
  }, 2);
  return () => clearInterval(timer);
}
