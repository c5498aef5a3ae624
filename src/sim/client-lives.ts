// What becomes of every client: it asks, connects, ramps up to its full cost, is moved or thrown out, and
// leaves. One thing at a time; the calendar says when the next is due.

import { chooseMoves } from '../gateway/core/choose-moves.ts';
import type { ShedOrder } from '../protocol/load-report.ts';
import { Calendar, STEP_MS } from './calendar.ts';
import type { Random } from './chance.ts';
import type { Answer, Chooser } from './choosers.ts';
import { Clients, CONNECTED, CONNECTING, LOOKING_UP, RAMPING, ENDED } from './clients.ts';
import type { GatewayModel } from './gateway-model.ts';

/** A client on its way in. */
export interface Newcomer {
  /** Load it causes at full cost, on capacity 1. */
  cost: number;
  lifeMs: number;
  hot: boolean;
}

const NEVER_CONNECTS = 0.05;
const CONNECT_MIN_MS = 20;
const CONNECT_SPREAD_MS = 180;
const RAMP_MIN_MS = 2_000;
const RAMP_SPREAD_MS = 6_000;
const RETRY_FAILED_MS = 1_000;

export class ClientLives {
  lookups = 0;
  refused = 0;
  moved = 0;
  /** Clients that got in, and how long they had waited in all. */
  admitted = 0;
  waitedMs = 0;
  readonly #fleet: readonly GatewayModel[];
  readonly #chooser: Chooser;
  readonly #random: Random;
  readonly #clients = new Clients();
  readonly #calendar: Calendar;
  /** Ticket of a client that is connecting, for when it fails. */
  readonly #tickets = new Map<number, Answer>();
  /** Row that replaces a moving client's, by old row. */
  readonly #movers = new Map<number, number>();
  #step = 0;
  #nowMs = 0;

  constructor(fleet: readonly GatewayModel[], chooser: Chooser, random: Random, endMs: number) {
    this.#fleet = fleet;
    this.#chooser = chooser;
    this.#random = random;
    this.#calendar = new Calendar(endMs);
  }

  get steps(): number {
    return this.#calendar.steps;
  }

  /** From here on it is `step`; what is due in it happens at `live`. */
  turnTo(step: number): void {
    this.#step = step;
    this.#nowMs = step * STEP_MS;
  }

  live(): void {
    this.#calendar.run(this.#step, (client) => this.#due(client));
  }

  /** Was there before the run began, fully ramped. */
  settle(cost: number, leavesAtMs: number, gateway: GatewayModel): void {
    const clients = this.#clients;
    const client = clients.take();
    clients.cost[client] = cost;
    clients.leavesAtMs[client] = leavesAtMs;
    clients.state[client] = CONNECTED;
    clients.openedAtMs[client] = -1e6;
    gateway.committed += cost;
    this.#join(client, gateway);
    gateway.bend(cost, 0, 0);
    this.#wait(client, leavesAtMs);
  }

  arrive({ cost, lifeMs, hot }: Newcomer): void {
    const clients = this.#clients;
    const client = clients.take();
    clients.cost[client] = cost;
    clients.leavesAtMs[client] = lifeMs;
    clients.hot[client] = hot ? 1 : 0;
    clients.firstAskedAtMs[client] = this.#nowMs;
    this.#lookUp(client);
  }

  /** The gateway is gone; its clients ask again within `backWithinMs`. */
  kill(gateway: GatewayModel, backWithinMs: number): void {
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
        const again = this.#again(old);
        clients.leavesAtMs[again]! -= this.#nowMs;
        this.#wait(again, this.#nowMs + backWithinMs * this.#random());
      }
      clients.end(old);
    }
    gateway.count = 0;
    gateway.committed = 0;
  }

  /** Connected clients of the hot topic cost `factor` times as much from now on. */
  heat(factor: number): void {
    const clients = this.#clients;
    for (const gateway of this.#fleet) {
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

  /** The gateway has been told to move clients away. */
  shed(gateway: GatewayModel, order: ShedOrder): void {
    const clients = this.#clients;
    const movable = Array.from(gateway.clients.subarray(0, gateway.count))
      .filter((client) => clients.state[client] === CONNECTED && !this.#movers.has(client))
      .map((client) => ({ client, load: () => clients.cost[client]!, movedMs: clients.movedAtMs[client]! }));
    const amount = { count: order.count, work: order.work };
    for (const { client } of chooseMoves(movable, amount, this.#nowMs, this.#random)) {
      const mover = this.#again(client);
      clients.movesFrom[mover] = client;
      this.#movers.set(client, mover);
      this.#wait(mover, this.#nowMs + order.spreadMs * this.#random());
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
    this.#fleet[answer.gateway]!.committed += clients.cost[client]!;
    this.#wait(client, this.#nowMs + CONNECT_MIN_MS + CONNECT_SPREAD_MS * this.#random());
  }

  #connect(client: number): void {
    const clients = this.#clients;
    const gateway = this.#fleet[clients.gateway[client]!]!;
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
    const gateway = this.#fleet[clients.gateway[client]!]!;
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
    const gateway = this.#fleet[clients.gateway[client]!]!;
    this.#unload(client, gateway);
    gateway.committed -= clients.cost[client]!;
    gateway.closed(clients.openedAtMs[client]!, this.#nowMs);
    this.#chooser.ended(gateway.index, clients.replica[client]!);
    const place = clients.place[client]!;
    clients.place[gateway.leave(place)] = place;
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
    this.#clients.gateway[client] = gateway.index;
    this.#clients.place[client] = gateway.join(client);
  }

  #wait(client: number, atMs: number): void {
    this.#clients.waiting[client] = this.#calendar.add(client, atMs, this.#step) ? 1 : 0;
  }

  #again(old: number): number {
    const again = this.#clients.takeAgain(old);
    this.#clients.firstAskedAtMs[again] = this.#nowMs;
    return again;
  }

  #giveUpMove(mover: number): void {
    this.#movers.delete(this.#clients.movesFrom[mover]!);
    this.#clients.end(mover);
  }

  /** A client that was connecting will not come after all. */
  #forgetAssignment(client: number): void {
    if (this.#clients.state[client] !== CONNECTING) return;
    this.#fleet[this.#clients.gateway[client]!]!.committed -= this.#clients.cost[client]!;
    this.#chooser.ended(this.#clients.gateway[client]!, this.#clients.replica[client]!);
    this.#tickets.delete(client);
  }
}
