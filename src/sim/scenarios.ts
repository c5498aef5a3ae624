// The scenarios of docs/policy.md: what the fleet looks like and what goes wrong in it. Times in seconds
// from the moment at which measuring starts.

export type ScenarioName =
  | 'steady'
  | 'caps4'
  | 'flash'
  | 'death'
  | 'rolling'
  | 'liar'
  | 'neighbour'
  | 'scaleout'
  | 'overload'
  | 'hottopic'
  | 'outage'
  | 'newcomer';

export type Incident =
  /** The gateway is gone; its clients look up again within `backWithinSec`. */
  | { kind: 'kill'; atSec: number; gateway: number; backWithinSec: number }
  | { kind: 'restart'; atSec: number; gateway: number }
  | { kind: 'add'; atSec: number }
  | { kind: 'steal'; atSec: number; gateway: number; share: number }
  /** Everyone who came for the hot topic now costs `factor` times as much. */
  | { kind: 'heat'; atSec: number; factor: number };

export interface Scenario {
  name: ScenarioName;
  title: string;
  warmSec: number;
  measureSec: number;
  meanLoad: number;
  lifeSec: number;
  /** Capacity of gateway i; what it claims is always 1. */
  capacity: (index: number) => number;
  /** Which one reports 0; in a smaller fleet, counted on from the first. */
  liar?: number;
  /** CPU seconds of one connect on capacity 1, as Herald is told as well. */
  handshakeSeconds: number;
  /** Gateways report at once when many have come, and not only each period. */
  earlyReports: boolean;
  /** Connections may be moved (policy `expected` only). */
  moves: boolean;
  /** Arrival rate over the usual one. */
  arrivals: (sec: number) => number;
  /** Mean life of a client that arrives at `sec`, when it differs. */
  visitorLifeSec?: (sec: number) => number | undefined;
  /** Share of the arrivals that come for the hot topic. */
  hotShare?: (sec: number) => number;
  incidents: (gateways: number) => Incident[];
}

const equal = (): number => 1;
const usual = (): number => 1;
const quiet = (): Incident[] => [];
const plain = {
  warmSec: 60,
  meanLoad: 0.65,
  lifeSec: 840,
  capacity: equal,
  handshakeSeconds: 0.002,
  earlyReports: true,
  moves: false,
  arrivals: usual,
};

const steady: Scenario = {
  ...plain,
  name: 'steady',
  title: 'nothing happens',
  measureSec: 600,
  incidents: quiet,
};

const caps4: Scenario = {
  ...plain,
  name: 'caps4',
  title: 'capacities 0.5 to 2, all claim 1',
  measureSec: 600,
  capacity: (index) => [0.5, 1, 1, 2][index % 4]!,
  incidents: quiet,
};

const flash: Scenario = {
  ...plain,
  name: 'flash',
  title: 'ten times the arrivals for 20 s',
  measureSec: 180,
  meanLoad: 0.5,
  arrivals: (sec) => (sec >= 30 && sec < 50 ? 10 : 1),
  incidents: quiet,
};

const death: Scenario = {
  ...plain,
  name: 'death',
  title: 'a gateway dies, its clients come back within 5 s',
  measureSec: 300,
  incidents: (gateways) => [{ kind: 'kill', atSec: 60, gateway: 3 % gateways, backWithinSec: 5 }],
};

const RESTART_EACH_SEC = 60;
const RESTART_TAKES_SEC = 10;
const rolling: Scenario = {
  ...plain,
  name: 'rolling',
  title: 'every gateway restarts, one a minute',
  measureSec: 1_260,
  meanLoad: 0.6,
  incidents: (gateways) =>
    Array.from({ length: gateways }, (_, gateway) => {
      const atSec = 30 + gateway * RESTART_EACH_SEC;
      return [
        { kind: 'kill', atSec, gateway, backWithinSec: 30 } as const,
        { kind: 'restart', atSec: atSec + RESTART_TAKES_SEC, gateway } as const,
      ];
    }).flat(),
};

const liar: Scenario = {
  ...plain,
  name: 'liar',
  title: 'one gateway reports a load of 0',
  measureSec: 900,
  lifeSec: 420,
  liar: 5,
  incidents: quiet,
};

const neighbour: Scenario = {
  ...plain,
  name: 'neighbour',
  title: 'something else takes 40 % of one gateway',
  measureSec: 900,
  moves: true,
  incidents: (gateways) => [{ kind: 'steal', atSec: 60, gateway: 7 % gateways, share: 0.4 }],
};

const scaleout: Scenario = {
  ...plain,
  name: 'scaleout',
  title: 'one gateway more, lives of two hours',
  measureSec: 1_500,
  lifeSec: 7_200,
  moves: true,
  incidents: () => [{ kind: 'add', atSec: 60 }],
};

const overload: Scenario = {
  ...plain,
  name: 'overload',
  title: 'more clients than the fleet can carry, for two minutes',
  measureSec: 360,
  arrivals: (sec) => (sec >= 30 && sec < 90 ? 15 : 1),
  visitorLifeSec: (sec) => (sec >= 30 && sec < 90 ? 60 : undefined),
  incidents: quiet,
};

const hottopic: Scenario = {
  ...plain,
  name: 'hottopic',
  title: 'a crowd comes for one topic, which then becomes busy',
  measureSec: 300,
  meanLoad: 0.5,
  arrivals: (sec) => (sec >= 30 && sec < 60 ? 4 : 1),
  hotShare: (sec) => (sec >= 30 && sec < 60 ? 0.75 : 0),
  incidents: () => [{ kind: 'heat', atSec: 120, factor: 3 }],
};

/** TLS ends elsewhere and gateways report as a script would: only tickets in flight tell who is on the way. */
const outage: Scenario = {
  ...plain,
  name: 'outage',
  title: 'half the fleet dies, all clients are back within a second',
  measureSec: 90,
  meanLoad: 0.35,
  handshakeSeconds: 0,
  earlyReports: false,
  incidents: (gateways) =>
    Array.from({ length: Math.floor(gateways / 2) }, (_, gateway) => ({
      kind: 'kill',
      atSec: 30,
      gateway,
      backWithinSec: 1,
    })),
};

/** Everybody is sent to the empty one, and what they will cost shows only seconds later. */
const newcomer: Scenario = {
  ...plain,
  name: 'newcomer',
  title: 'one gateway more, lives of half a minute, connecting costs nothing',
  measureSec: 90,
  lifeSec: 30,
  handshakeSeconds: 0,
  incidents: () => [{ kind: 'add', atSec: 30 }],
};

export const SCENARIOS: Record<ScenarioName, Scenario> = {
  steady,
  caps4,
  flash,
  death,
  rolling,
  liar,
  neighbour,
  scaleout,
  overload,
  hottopic,
  outage,
  newcomer,
};
