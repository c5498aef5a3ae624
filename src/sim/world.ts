// The simulated world: clients come, ask, connect, cost and leave; gateways measure and report; incidents
// strike. Time advances in steps of 10 ms; all chance comes from the seed.

import { chooseMoves } from '../gateway/core/choose-moves.ts';
import type { ShedOrder } from '../protocol/load-report.ts';
import { Calendar, STEP_MS } from './calendar.ts';
import type { Random } from './chance.ts';
import { connectionCost, connectionLife, poisson, remainingLife } from './chance.ts';
import type { Answer, Chooser } from './choosers.ts';
import { Clients, CONNECTED, CONNECTING, LOOKING_UP, RAMPING, ENDED } from './clients.ts';
import { GatewayModel, SAMPLE_MS } from './gateway-model.ts';
import { Measures } from './measures.ts';
import type { Incident, Scenario } from './scenarios.ts';

export interface WorldOptions {
  scenario: Scenario;
  gateways: number;
  clientsPerGateway: number;
  reportMs: number;
  /** Whether the first clients lie as counts or as load would have placed them. */
  startEven: 'connections' | 'load';
  random: Random;
}

const NEVER_CONNECTS = 0.05;
const CONNECT_MIN_MS = 20;
const CONNECT_SPREAD_MS = 180;
const RAMP_MIN_MS = 2_000;
const RAMP_SPREAD_MS = 6_000;
const RETRY_FAILED_MS = 1_000;

export class World {
  readonly fleet: GatewayModel[];
  readonly measures: Measures;
  readonly endMs: number;
  lookups = 0;
  refused = 0;
  moved = 0;
  /** Clients that got in, and how long they had waited in all. */
  admitted = 0;
  waitedMs = 0;
  readonly #options: WorldOptions;
  readonly #random: Random;
  readonly #clients = new Clients();
  readonly #calendar: Calendar;
  readonly #chooser: Chooser;
  /** Ticket of a client that is connecting, for when it fails. */
  readonly #tickets = new Map<number, Answer>();
  /** Row that replaces a moving client's, by old row. */
  readonly #movers = new Map<number, number>();
  readonly #incidents: Incident[];
  readonly #unitCost: number;
  readonly #arrivalsPerMs: number;
  #step = 0;
  #nowMs = 0;

  constructor(options: WorldOptions, chooserFor: (fleet: readonly GatewayModel[]) => Chooser) {
    const { scenario, gateways, clientsPerGateway } = options;
    this.#options = options;
    this.#random = options.random;
    this.#incidents = scenario.incidents(gateways).sort((a, b) => a.atSec - b.atSec);
    const added = this.#incidents.filter((incident) => incident.kind === 'add').length;
    this.fleet = Array.from({ length: gateways + added }, (_, index) => {
      const gateway = new GatewayModel(index, scenario.capacity(index), 1, scenario);
      gateway.up = index < gateways;
      gateway.lies = scenario.liar !== undefined && index === scenario.liar % gateways;
      gateway.nextReportAtMs = this.#random() * options.reportMs;
      return gateway;
    });
    this.endMs = (scenario.warmSec + scenario.measureSec) * 1_000;
    this.#calendar = new Calendar(this.endMs);
    this.measures = new Measures(
      this.fleet.map(({ id }) => id),
      -scenario.warmSec,
      scenario.warmSec + scenario.measureSec,
    );
    this.#chooser = chooserFor(this.fleet);
    const capacity = this.fleet.reduce((sum, gateway) => sum + (gateway.up ? gateway.capacity : 0), 0);
    const clients = gateways * clientsPerGateway;
    this.#unitCost = (scenario.meanLoad * capacity) / clients;
    this.#arrivalsPerMs = clients / (scenario.lifeSec * 1_000);
    this.#settleFirst(clients);
  }

  /** Runs to the end; `progress` hears 0..1 now and then. */
  run(progress?: (share: number) => void): void {
    for (this.#step = 0; this.#step < this.#calendar.steps; this.#step++) {
      this.#nowMs = this.#step * STEP_MS;
      const sec = this.#nowMs / 1_000 - this.#options.scenario.warmSec;
      while (this.#incidents[0] && this.#incidents[0].atSec <= sec)
        this.#strike(this.#incidents.shift()!, sec);
      this.#arrive(sec);
      this.#calendar.run(this.#step, (client) => this.#due(client));
      if (this.#nowMs % SAMPLE_MS === 0) this.#sampleAll();
      if (this.#nowMs % 1_000 === 0) this.measures.take(this.fleet, sec);
      if (progress && this.#nowMs % 10_000 === 0) progress(this.#nowMs / this.endMs);
    }
  }

  /** Places the clients that are there already, fully ramped. */
  #settleFirst(count: number): void {
    const clients = this.#clients;
    const fleet = this.fleet.filter(({ up }) => up);
    const load = new Float64Array(fleet.length);
    for (let i = 0; i < count; i++) {
      const client = clients.take();
      clients.cost[client] = this.#unitCost * connectionCost(this.#random);
      clients.leavesAtMs[client] = remainingLife(this.#random, this.#options.scenario.lifeSec * 1_000);
      let place = i % fleet.length;
      if (this.#options.startEven === 'load')
        for (let j = 0; j < fleet.length; j++) if (load[j]! < load[place]!) place = j;
      const gateway = fleet[place]!;
      load[place]! += clients.cost[client] / gateway.capacity;
      gateway.committed += clients.cost[client];
      clients.state[client] = CONNECTED;
      clients.openedAtMs[client] = -1e6;
      this.#join(client, gateway);
      gateway.bend(clients.cost[client], 0, 0);
      this.#wait(client, clients.leavesAtMs[client]);
    }
    for (let i = 0; i < 20; i++) for (const gateway of fleet) gateway.sample(0);
  }

  #arrive(sec: number): void {
    const { scenario } = this.#options;
    const expected = this.#arrivalsPerMs * STEP_MS * scenario.arrivals(sec);
    const lifeSec = scenario.visitorLifeSec?.(sec) ?? scenario.lifeSec;
    const hotShare = scenario.hotShare?.(sec) ?? 0;
    for (let i = poisson(this.#random, expected); i > 0; i--) {
      const client = this.#clients.take();
      this.#clients.cost[client] = this.#unitCost * connectionCost(this.#random);
      this.#clients.leavesAtMs[client] = connectionLife(this.#random, lifeSec * 1_000);
      this.#clients.hot[client] = hotShare > 0 && this.#random() < hotShare ? 1 : 0;
      this.#clients.firstAskedAtMs[client] = this.#nowMs;
      this.#lookUp(client);
    }
  }

  #due(client: number): void {
    const clients = this.#clients;
    clients.waiting[client] = 0;
    const state = clients.state[client];
    if (state === LOOKING_UP) this.#lookUp(client);
    else if (state === CONNECTING) this.#connect(client);
    else if (state === RAMPING) this.#ramped(client);
    else if (state === CONNECTED) this.#leave(client);
    else if (state === ENDED) clients.end(client);
  }

  #lookUp(client: number): void {
    const clients = this.#clients;
    const failed = this.#tickets.get(client);
    this.#tickets.delete(client);
    const moving = clients.movesFrom[client]! >= 0;
    this.lookups++;
    const intent = moving ? 'move' : clients.returns[client] === 1 ? 'resume' : 'connect';
    const answer = this.#chooser.lookup({ intent, failed }, this.#nowMs);
    if (answer.gateway < 0) {
      this.refused++;
      if (moving) this.#giveUpMove(client);
      else this.#wait(client, this.#nowMs + answer.waitMs);
      return;
    }
    if (moving && answer.gateway === clients.gateway[clients.movesFrom[client]!]) {
      this.#chooser.ended(answer.gateway, answer.replica);
      this.#giveUpMove(client);
      return;
    }
    // Some clients never come; the ticket stays open.
    if (this.#random() < NEVER_CONNECTS && !moving) {
      this.#chooser.ended(answer.gateway, answer.replica);
      clients.end(client);
      return;
    }
    clients.gateway[client] = answer.gateway;
    clients.replica[client] = answer.replica;
    clients.state[client] = CONNECTING;
    this.#tickets.set(client, answer);
    this.fleet[answer.gateway]!.committed += clients.cost[client]!;
    this.#wait(client, this.#nowMs + CONNECT_MIN_MS + CONNECT_SPREAD_MS * this.#random());
  }

  #connect(client: number): void {
    const clients = this.#clients;
    const gateway = this.fleet[clients.gateway[client]!]!;
    if (!gateway.up) {
      // Its ticket stays in #tickets: the next lookup names it as failed.
      this.#chooser.ended(gateway.index, clients.replica[client]!);
      clients.state[client] = LOOKING_UP;
      this.#wait(client, this.#nowMs + RETRY_FAILED_MS * this.#random());
      return;
    }
    this.#tickets.delete(client);
    const replica = clients.replica[client]!;
    gateway.accept(replica >= 0 ? `herald-${replica + 1}` : undefined, this.#nowMs);
    clients.openedAtMs[client] = this.#nowMs;
    this.#join(client, gateway);
    const old = clients.movesFrom[client]!;
    if (old >= 0) {
      this.#movers.delete(old);
      clients.movesFrom[client] = -1;
      clients.movedAtMs[client] = this.#nowMs;
      this.moved++;
      this.#remove(old);
    } else {
      this.admitted++;
      this.waitedMs += this.#nowMs - clients.firstAskedAtMs[client]!;
      // Its life was drawn as a length; a moved one keeps its end.
      clients.leavesAtMs[client]! += this.#nowMs;
    }
    const rampMs = Math.min(
      RAMP_MIN_MS + RAMP_SPREAD_MS * this.#random(),
      Math.max(STEP_MS, clients.leavesAtMs[client]! - this.#nowMs - 2 * STEP_MS),
    );
    clients.rampMs[client] = rampMs;
    clients.state[client] = RAMPING;
    gateway.bend(0, clients.cost[client]! / clients.rampMs[client], this.#nowMs);
    this.#wait(client, this.#nowMs + rampMs);
  }

  #ramped(client: number): void {
    const clients = this.#clients;
    const gateway = this.fleet[clients.gateway[client]!]!;
    const rampedMs = this.#nowMs - clients.openedAtMs[client]!;
    const slope = clients.cost[client]! / clients.rampMs[client]!;
    // Steps are coarse: what the ramp missed or passed is put right here.
    gateway.bend(clients.cost[client]! - slope * rampedMs, -slope, this.#nowMs);
    clients.state[client] = CONNECTED;
    this.#wait(client, clients.leavesAtMs[client]!);
  }

  #leave(client: number): void {
    const mover = this.#movers.get(client);
    if (mover !== undefined) {
      this.#movers.delete(client);
      this.#forgetAssignment(mover);
      this.#clients.end(mover);
    }
    this.#remove(client);
  }

  /** Takes a connected client off its gateway. */
  #remove(client: number): void {
    const clients = this.#clients;
    const gateway = this.fleet[clients.gateway[client]!]!;
    this.#unload(client, gateway);
    gateway.committed -= clients.cost[client]!;
    gateway.closed(clients.openedAtMs[client]!, this.#nowMs);
    this.#chooser.ended(gateway.index, clients.replica[client]!);
    const last = gateway.clients[--gateway.count]!;
    const place = clients.place[client]!;
    gateway.clients[place] = last;
    clients.place[last] = place;
    clients.end(client);
  }

  #unload(client: number, gateway: GatewayModel): void {
    const clients = this.#clients;
    const cost = clients.cost[client]!;
    if (clients.state[client] === RAMPING) {
      const slope = cost / clients.rampMs[client]!;
      gateway.bend(-slope * (this.#nowMs - clients.openedAtMs[client]!), -slope, this.#nowMs);
    } else gateway.bend(-cost, 0, this.#nowMs);
  }

  #join(client: number, gateway: GatewayModel): void {
    if (gateway.count === gateway.clients.length) {
      const larger = new Int32Array(gateway.count * 2);
      larger.set(gateway.clients);
      gateway.clients = larger;
    }
    this.#clients.gateway[client] = gateway.index;
    this.#clients.place[client] = gateway.count;
    gateway.clients[gateway.count++] = client;
  }

  #wait(client: number, atMs: number): void {
    this.#clients.waiting[client] = this.#calendar.add(client, atMs, this.#step) ? 1 : 0;
  }

  #sampleAll(): void {
    for (const gateway of this.fleet) {
      if (!gateway.up) continue;
      gateway.sample(this.#nowMs);
      const report = gateway.reportDue(this.#options.reportMs, this.#random, this.#nowMs);
      if (!report) continue;
      const directive = this.#chooser.report(report, this.#nowMs);
      if (directive && 'shed' in directive) this.#shed(gateway, directive.shed);
    }
    this.#chooser.tick(this.#nowMs);
  }

  #strike(incident: Incident, sec: number): void {
    switch (incident.kind) {
      case 'kill':
        this.#kill(this.fleet[incident.gateway]!, incident.backWithinSec * 1_000);
        return;
      case 'restart':
        this.fleet[incident.gateway]!.restart(this.#nowMs);
        return;
      case 'add': {
        const gateway = this.fleet.find(({ up }) => !up)!;
        gateway.restart(this.#nowMs);
        this.measures.watch(gateway.index, sec);
        return;
      }
      case 'steal':
        this.fleet[incident.gateway]!.stolen = incident.share;
        return;
      case 'heat':
        this.#heat(incident.factor);
        return;
    }
  }

  #kill(gateway: GatewayModel, backWithinMs: number): void {
    const clients = this.#clients;
    gateway.up = false;
    this.#chooser.lost(gateway, this.#nowMs);
    for (let i = 0; i < gateway.count; i++) {
      const old = gateway.clients[i]!;
      const mover = this.#movers.get(old);
      if (mover !== undefined) {
        // It is on its way elsewhere already; from now on as an ordinary client.
        this.#movers.delete(old);
        clients.movesFrom[mover] = -1;
        clients.leavesAtMs[mover]! -= this.#nowMs;
        clients.firstAskedAtMs[mover] = this.#nowMs;
      } else {
        const again = this.#copyOf(old);
        clients.leavesAtMs[again]! -= this.#nowMs;
        this.#wait(again, this.#nowMs + backWithinMs * this.#random());
      }
      clients.end(old);
    }
    gateway.count = 0;
    gateway.committed = 0;
  }

  #copyOf(old: number): number {
    const clients = this.#clients;
    const copy = clients.take();
    clients.cost[copy] = clients.cost[old]!;
    clients.leavesAtMs[copy] = clients.leavesAtMs[old]!;
    clients.hot[copy] = clients.hot[old]!;
    clients.returns[copy] = 1;
    clients.firstAskedAtMs[copy] = this.#nowMs;
    return copy;
  }

  #heat(factor: number): void {
    const clients = this.#clients;
    for (const gateway of this.fleet) {
      for (let i = 0; i < gateway.count; i++) {
        const client = gateway.clients[i]!;
        if (clients.hot[client] !== 1 || clients.state[client] !== CONNECTED) continue;
        const more = clients.cost[client]! * (factor - 1);
        clients.cost[client]! += more;
        gateway.committed += more;
        gateway.bend(more, 0, this.#nowMs);
      }
    }
  }

  #shed(gateway: GatewayModel, order: ShedOrder): void {
    const clients = this.#clients;
    const movable = Array.from(gateway.clients.subarray(0, gateway.count))
      .filter((client) => clients.state[client] === CONNECTED && !this.#movers.has(client))
      .map((client) => ({ client, load: () => clients.cost[client]!, movedMs: clients.movedAtMs[client]! }));
    const amount = { count: order.count, work: order.work };
    for (const { client } of chooseMoves(movable, amount, this.#nowMs, this.#random)) {
      const mover = this.#copyOf(client);
      clients.movesFrom[mover] = client;
      this.#movers.set(client, mover);
      this.#wait(mover, this.#nowMs + order.spreadMs * this.#random());
    }
  }

  #giveUpMove(mover: number): void {
    this.#movers.delete(this.#clients.movesFrom[mover]!);
    this.#clients.end(mover);
  }

  /** A client that was connecting will not come after all. */
  #forgetAssignment(client: number): void {
    if (this.#clients.state[client] !== CONNECTING) return;
    this.fleet[this.#clients.gateway[client]!]!.committed -= this.#clients.cost[client]!;
    this.#chooser.ended(this.#clients.gateway[client]!, this.#clients.replica[client]!);
    this.#tickets.delete(client);
  }
}
