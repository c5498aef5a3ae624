// The oracle's book. Every publisher numbers the messages of each topic from 1; every client notes what it
// hears. From both follows, for each subscription: what was acked and never came (lost), how much of that the
// gaps told, what came twice, what came out of order. Pure.

/** What one client heard of one topic. */
export interface Hearing {
  message: (number: number, epoch: string) => void;
  /** `count` 0 = the gap did not say how many. */
  gap: (count: number) => void;
}

export interface Verdict {
  published: number;
  acked: number;
  /** Acked messages times their subscribers. */
  due: number;
  lost: number;
  /** Messages that gaps counted. */
  flagged: number;
  /** Gaps that carried no count. */
  uncounted: number;
  /** Lost and in no gap of their subscription. */
  unflagged: number;
  /** Counted in a gap and not lost. */
  overcounted: number;
  duplicates: number;
  disorder: number;
}

export interface Book {
  /** A message is about to be published: its number in the topic. */
  publishing: (topic: number) => number;
  acked(topic: number, number: number): void;
  hearing(topic: number): Hearing;
  /** Subscriptions that still miss acked messages which no gap has told. */
  waiting(): number;
  verdict(): Verdict;
  /** The subscriptions behind a verdict that is not clean, for a person to look at. */
  complaints(limit: number): string[];
}

interface Topic {
  published: number;
  acked: boolean[];
}

interface Heard {
  topic: number;
  numbers: Set<number>;
  /** By epoch: between two lives of brokers there is no order. */
  last: Map<string, number>;
  duplicates: number;
  disorder: number;
  flagged: number;
  uncounted: number;
}

export function createBook(topicCount: number): Book {
  const topics = Array.from({ length: topicCount }, (): Topic => ({ published: 0, acked: [] }));
  const all: Heard[] = [];

  const lostOf = ({ topic, numbers }: Heard): number[] => {
    const { acked } = topics[topic]!;
    const lost: number[] = [];
    for (let number = 1; number < acked.length; number++) {
      if (acked[number] === true && !numbers.has(number)) lost.push(number);
    }
    return lost;
  };
  const ackedOf = (topic: number): number => topics[topic]!.acked.filter(Boolean).length;

  return {
    publishing(topic) {
      const number = ++topics[topic]!.published;
      topics[topic]!.acked[number] = false;
      return number;
    },
    acked: (topic, number) => void (topics[topic]!.acked[number] = true),
    hearing(topic) {
      const heard: Heard = {
        topic,
        numbers: new Set(),
        last: new Map(),
        duplicates: 0,
        disorder: 0,
        flagged: 0,
        uncounted: 0,
      };
      all.push(heard);
      return {
        message(number, epoch) {
          if (heard.numbers.has(number)) {
            heard.duplicates += 1;
            return;
          }
          const last = heard.last.get(epoch) ?? 0;
          if (number < last) heard.disorder += 1;
          heard.last.set(epoch, Math.max(last, number));
          heard.numbers.add(number);
        },
        gap(count) {
          if (count === 0) heard.uncounted += 1;
          heard.flagged += count;
        },
      };
    },
    waiting: () => all.filter((heard) => lostOf(heard).length > heard.flagged).length,
    verdict() {
      const sum: Verdict = {
        published: topics.reduce((total, { published }) => total + published, 0),
        acked: topics.reduce((total, _, topic) => total + ackedOf(topic), 0),
        due: 0,
        lost: 0,
        flagged: 0,
        uncounted: 0,
        unflagged: 0,
        overcounted: 0,
        duplicates: 0,
        disorder: 0,
      };
      for (const heard of all) {
        const lost = lostOf(heard).length;
        sum.due += ackedOf(heard.topic);
        sum.lost += lost;
        sum.flagged += heard.flagged;
        sum.uncounted += heard.uncounted;
        sum.unflagged += Math.max(0, lost - heard.flagged);
        sum.overcounted += Math.max(0, heard.flagged - lost);
        sum.duplicates += heard.duplicates;
        sum.disorder += heard.disorder;
      }
      return sum;
    },
    complaints(limit) {
      const odd = all.flatMap((heard) => {
        const lost = lostOf(heard);
        if (lost.length === heard.flagged && heard.uncounted + heard.duplicates + heard.disorder === 0)
          return [];
        return [
          `topic ${heard.topic}: lost ${lost.length} (${lost.slice(0, 3).join(', ')}..${lost.at(-1) ?? ''} of ` +
            `${topics[heard.topic]!.published}), flagged ${heard.flagged}, uncounted ${heard.uncounted}, ` +
            `twice ${heard.duplicates}, out of order ${heard.disorder}`,
        ];
      });
      return odd.slice(0, limit);
    },
  };
}
