// The simulated world: clients come and live (client-lives.ts), gateways measure and report, incidents strike.
// Time advances in steps of 10 ms; all chance comes from the seed.

import { STEP_MS } from './calendar.ts';
import type { Random } from './chance.ts';
import { connectionCost, connectionLife, poisson, remainingLife } from './chance.ts';
import type { Chooser } from './choosers.ts';
import { ClientLives } from './client-lives.ts';
import { GatewayModel, SAMPLE_MS } from './gateway-model.ts';
import { Measures } from './measures.ts';
import type { Incident, Scenario } from './scenarios.ts';

export interface WorldOptions {
  scenario: Scenario;
  gateways: number;
  clientsPerGateway: number;
  reportMs: number;
  earlyFull: boolean;
  /** Whether the first clients lie as counts or as load would have placed them. */
  startEven: 'connections' | 'load';
  random: Random;
}

export class World {
  readonly fleet: GatewayModel[];
  readonly measures: Measures;
  readonly lives: ClientLives;
  readonly endMs: number;
  readonly #options: WorldOptions;
  readonly #random: Random;
  readonly #chooser: Chooser;
  readonly #incidents: Incident[];
  readonly #unitCost: number;
  readonly #arrivalsPerMs: number;
  #nowMs = 0;

  constructor(options: WorldOptions, chooserFor: (fleet: readonly GatewayModel[]) => Chooser) {
    const { scenario, gateways, clientsPerGateway } = options;
    this.#options = options;
    this.#random = options.random;
    this.#incidents = scenario.incidents(gateways).sort((a, b) => a.atSec - b.atSec);
    const added = this.#incidents.filter((incident) => incident.kind === 'add').length;
    const habits = { ...scenario, reportMs: options.reportMs, earlyFull: options.earlyFull };
    this.fleet = Array.from({ length: gateways + added }, (_, index) => {
      const gateway = new GatewayModel(index, scenario.capacity(index), habits, this.#random);
      gateway.up = index < gateways;
      gateway.lies = scenario.liar !== undefined && index === scenario.liar % gateways;
      gateway.reportsFromMs = this.#random() * options.reportMs;
      return gateway;
    });
    this.endMs = (scenario.warmSec + scenario.measureSec) * 1_000;
    this.measures = new Measures(
      this.fleet.map(({ id }) => id),
      -scenario.warmSec,
      scenario.warmSec + scenario.measureSec,
    );
    this.#chooser = chooserFor(this.fleet);
    this.lives = new ClientLives(this.fleet, this.#chooser, this.#random, this.endMs);
    const capacity = this.fleet.reduce((sum, gateway) => sum + (gateway.up ? gateway.capacity : 0), 0);
    const clients = gateways * clientsPerGateway;
    this.#unitCost = (scenario.meanLoad * capacity) / clients;
    this.#arrivalsPerMs = clients / (scenario.lifeSec * 1_000);
    this.#settleFirst(clients);
  }

  /** Runs to the end; `progress` hears 0..1 now and then. */
  run(progress?: (share: number) => void): void {
    for (let step = 0; step < this.lives.steps; step++) {
      this.#nowMs = step * STEP_MS;
      this.lives.turnTo(step);
      const sec = this.#nowMs / 1_000 - this.#options.scenario.warmSec;
      while (this.#incidents[0] && this.#incidents[0].atSec <= sec)
        this.#strike(this.#incidents.shift()!, sec);
      this.#arrive(sec);
      this.lives.live();
      if (this.#nowMs % SAMPLE_MS === 0) this.#sampleAll();
      if (this.#nowMs % 1_000 === 0) this.measures.take(this.fleet, sec);
      if (progress && this.#nowMs % 10_000 === 0) progress(this.#nowMs / this.endMs);
    }
  }

  /** Places the clients that are there already, fully ramped. */
  #settleFirst(count: number): void {
    const fleet = this.fleet.filter(({ up }) => up);
    const load = new Float64Array(fleet.length);
    for (let i = 0; i < count; i++) {
      const cost = this.#unitCost * connectionCost(this.#random);
      const leavesAtMs = remainingLife(this.#random, this.#options.scenario.lifeSec * 1_000);
      let place = i % fleet.length;
      if (this.#options.startEven === 'load')
        for (let j = 0; j < fleet.length; j++) if (load[j]! < load[place]!) place = j;
      const gateway = fleet[place]!;
      load[place]! += cost / gateway.capacity;
      this.lives.settle(cost, leavesAtMs, gateway);
    }
    for (let i = 0; i < 20; i++) for (const gateway of fleet) gateway.sample(0);
  }

  #arrive(sec: number): void {
    const { scenario } = this.#options;
    const expected = this.#arrivalsPerMs * STEP_MS * scenario.arrivals(sec);
    const lifeSec = scenario.visitorLifeSec?.(sec) ?? scenario.lifeSec;
    const hotShare = scenario.hotShare?.(sec) ?? 0;
    for (let i = poisson(this.#random, expected); i > 0; i--) {
      this.lives.arrive({
        cost: this.#unitCost * connectionCost(this.#random),
        lifeMs: connectionLife(this.#random, lifeSec * 1_000),
        hot: hotShare > 0 && this.#random() < hotShare,
      });
    }
  }

  #sampleAll(): void {
    for (const gateway of this.fleet) {
      if (!gateway.up) continue;
      gateway.sample(this.#nowMs);
      const report = gateway.reportDue(this.#nowMs);
      if (!report) continue;
      const directive = this.#chooser.report(report, this.#nowMs);
      if (directive && 'shed' in directive) this.lives.shed(gateway, directive.shed);
    }
    this.#chooser.tick(this.#nowMs);
  }

  #strike(incident: Incident, sec: number): void {
    switch (incident.kind) {
      case 'kill':
        this.lives.kill(this.fleet[incident.gateway]!, incident.backWithinSec * 1_000);
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
        this.lives.heat(incident.factor);
        return;
    }
  }
}
