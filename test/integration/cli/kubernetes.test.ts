// deploy/kubernetes as a cluster would take it: every object is of its type, every container starts a daemon with what its
// variables say, and the secrets they ask for are those that docs/kubernetes.md makes.

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Ingress, NetworkPolicy } from 'kubernetes-types/networking/v1.js';
import type { EnvVar, Service } from 'kubernetes-types/core/v1.js';
import type { StatefulSet } from 'kubernetes-types/apps/v1.js';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { brokerOptions } from '../../../src/broker/config/broker-options.ts';
import type { Options } from '../../../src/daemon/config.ts';
import { envName, loadConfig } from '../../../src/daemon/config.ts';
import { gatewayOptions } from '../../../src/gateway/config/gateway-options.ts';
import { allowedUrls } from '../../../src/herald/config/allowed-urls.ts';
import { heraldOptions } from '../../../src/herald/config/herald-options.ts';
import { HERALD_BIN } from '../../launch/herald-process.ts';

const FOLDER = 'deploy/kubernetes';
const OPTIONS: Readonly<Record<string, Options>> = {
  serve: heraldOptions,
  broker: brokerOptions,
  gateway: gatewayOptions,
};
/** Kinds by where `kubernetes-types` has them. */
const TYPES: Readonly<Record<string, string>> = {
  'v1 Namespace': 'core/v1',
  'v1 Service': 'core/v1',
  'apps/v1 StatefulSet': 'apps/v1',
  'policy/v1 PodDisruptionBudget': 'policy/v1',
  'networking.k8s.io/v1 Ingress': 'networking/v1',
  'networking.k8s.io/v1 NetworkPolicy': 'networking/v1',
};

interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
}
interface Kustomization {
  resources: string[];
  images: { name: string }[];
}

const objectsOf = (file: string): KubernetesObject[] =>
  parseAllDocuments(readFileSync(join(FOLDER, file), 'utf8')).map(
    (document) => document.toJS() as KubernetesObject,
  );
const kustomization = parse(readFileSync(join(FOLDER, 'kustomization.yaml'), 'utf8')) as Kustomization;
const objects = kustomization.resources.flatMap(objectsOf);
const ofKind = <T>(kind: string): T[] => objects.filter((object) => object.kind === kind) as T[];
const sets = ofKind<StatefulSet>('StatefulSet').map((set) => {
  const { metadata, spec } = set;
  const pod = spec!.template.spec!;
  const container = pod.containers[0]!;
  const daemon = container.args![0]!;
  return { name: metadata!.name!, spec: spec!, pod, container, daemon, options: OPTIONS[daemon]! };
});

let folder: string;
let secrets: Record<string, string>;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'herald-kubernetes-'));
  secrets = secretsOfDocs();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What the page's commands would hand to `kubectl create secret`. */
function secretsOfDocs(): Record<string, string> {
  const doc = readFileSync('docs/kubernetes.md', 'utf8');
  const script = /^```sh\n(image=[^]*?)^```/m.exec(doc)?.[1] ?? 'exit 1';
  const command = (name: string, body: string): void => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(folder, name), 0o755);
  };
  command('docker', `exec ${process.execPath} ${HERALD_BIN} keys`);
  command('kubectl', `for word; do echo "$word"; done`);
  const printed = execFileSync('sh', ['-euc', script], {
    cwd: folder,
    env: { ...process.env, PATH: `${folder}:${process.env['PATH']}` },
    encoding: 'utf8',
  });
  const literals = printed.matchAll(/^--from-literal=([^=]+)=(.*)$/gm);
  return Object.fromEntries(Array.from(literals, ([, key, value]) => [key!, value!]));
}

/** The variables of a container in the pod of this number, as the kubelet would set them. */
function environment(variables: readonly EnvVar[], pod: string): Record<string, string> {
  const env: Record<string, string> = {};
  for (const { name, value, valueFrom } of variables) {
    const key = valueFrom?.secretKeyRef?.key;
    const field = valueFrom?.fieldRef?.fieldPath;
    if (key !== undefined && secrets[key] === undefined)
      throw new Error(`${name}: no key ${key} in the secret`);
    if (key !== undefined) env[name] = secrets[key]!;
    else if (field === 'metadata.name') env[name] = pod;
    else if (field === 'status.podIP') env[name] = '10.1.0.7';
    else env[name] = value!.replace(/\$\((\w+)\)/g, (_, other: string) => env[other] ?? `$(${other})`);
  }
  return env;
}

describe('deploy/kubernetes', () => {
  it('lists each of its files, but for those that want types of others', () => {
    const files = readdirSync(FOLDER).filter(
      (file) => !['kustomization.yaml', 'autoscale.yaml'].includes(file),
    );
    expect([...kustomization.resources].sort()).toEqual(files.sort());
  });

  it('holds objects of the Kubernetes API, with no field that is not known there', () => {
    const source = objects
      .map((object, i) => {
        const module = TYPES[`${object.apiVersion} ${object.kind}`];
        return (
          `import type { ${object.kind} as T${i} } from 'kubernetes-types/${module}';\n` +
          `export const o${i}: T${i} = ${JSON.stringify(object)};\n`
        );
      })
      .join('');
    expect(typeErrors(source)).toEqual([]);
    expect(typeErrors(source.replaceAll('"containerPort"', '"containerport"'))).not.toEqual([]);
  });

  it.each(sets)(
    'starts herald $daemon with variables it knows and takes',
    ({ name, container, daemon, options }) => {
      const env = environment(container.env!, `${name}-0`);
      const known = Object.keys(options).map(envName);
      expect(Object.keys(env).filter((variable) => !known.includes(variable))).toEqual([]);
      const file = join(folder, 'empty.yaml');
      writeFileSync(file, '');
      const output = execFileSync(
        'sh',
        ['-c', 'exec "$0" "$@" 2>&1', process.execPath, HERALD_BIN, 'config', 'check', daemon, file],
        { encoding: 'utf8', env: { PATH: process.env['PATH'], ...env } },
      );
      const warning = /^herald: warning: snapshotFile: there is no folder \/var\/lib\/herald, .*\n/;
      expect(output.replace(warning, '')).toBe(`${file}: a valid configuration of herald ${daemon}\n`);
    },
  );

  it.each(sets)(
    'listens in $name where the pod says, and is probed there',
    ({ name, container, options }) => {
      const config = loadConfig(options, { env: environment(container.env!, `${name}-0`) }) as Record<
        string,
        unknown
      >;
      const ports = Object.entries(config).flatMap(([key, value]) =>
        /listen$/i.test(key) && !String(value).startsWith('127.')
          ? [Number(String(value).split(':').at(-1))]
          : [],
      );
      expect(container.ports!.map(({ containerPort }) => containerPort).sort()).toEqual(ports.sort());
      const names = container.ports!.map((port) => port.name);
      for (const probe of [container.readinessProbe, container.livenessProbe]) {
        expect(names).toContain(probe!.httpGet!.port);
      }
      expect(container.readinessProbe!.httpGet!.path).toBe('/readyz');
      expect(container.livenessProbe!.httpGet!.path).toBe('/livez');
    },
  );

  it.each(sets)(
    'runs $name without privileges, from an image that the kustomization names',
    ({ pod, container }) => {
      expect(pod).toMatchObject({
        enableServiceLinks: false,
        automountServiceAccountToken: false,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 1000,
          runAsGroup: 1000,
          seccompProfile: { type: 'RuntimeDefault' },
        },
      });
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(kustomization.images.map((image) => image.name)).toContain(container.image);
    },
  );

  it('gives a gateway the time that its clients are given to leave', () => {
    const { pod, container } = sets.find(({ daemon }) => daemon === 'gateway')!;
    const { shutdownSpreadMs } = loadConfig(gatewayOptions, {
      env: environment(container.env!, 'gateway-0'),
    });
    expect(1_000 * pod.terminationGracePeriodSeconds!).toBeGreaterThanOrEqual(shutdownSpreadMs + 5_000);
  });

  it("leads each gateway's URL, which Heralds allow, to its pod alone", () => {
    const serve = sets.find(({ daemon }) => daemon === 'serve')!;
    const gateway = sets.find(({ daemon }) => daemon === 'gateway')!;
    const { allowedUrls: patterns } = loadConfig(heraldOptions, {
      env: environment(serve.container.env!, 'herald-0'),
    });
    const rules = ofKind<Ingress>('Ingress').flatMap(({ spec }) => spec!.rules!);
    const hosts = ofKind<Ingress>('Ingress').flatMap(({ spec }) => spec!.tls!.flatMap((tls) => tls.hosts!));
    for (let i = 0; i < gateway.spec.replicas!; i++) {
      const pod = `gateway-${i}`;
      const { url } = loadConfig(gatewayOptions, { env: environment(gateway.container.env!, pod) });
      expect(allowedUrls(patterns)(url)).toBe(true);
      expect(hosts).toContain(new URL(url).hostname);
      const path = rules.find(({ host }) => host === new URL(url).hostname)!.http!.paths[0]!;
      expect(new URL(url).pathname).toBe(path.path);
      const service = ofKind<Service>('Service').find(
        ({ metadata }) => metadata!.name === path.backend.service!.name,
      )!;
      expect(service.spec!.selector).toEqual({ app: 'gateway', 'statefulset.kubernetes.io/pod-name': pod });
    }
  });

  it('names the Heralds as they call themselves', () => {
    const serve = sets.find(({ daemon }) => daemon === 'serve')!;
    const urls = Array.from({ length: serve.spec.replicas! }, (_, i) => {
      const env = environment(serve.container.env!, `herald-${i}`);
      return loadConfig(heraldOptions, { env }).controlUrl;
    });
    for (const { daemon, name, container } of sets) {
      if (daemon === 'serve') continue;
      expect(environment(container.env!, `${name}-0`)['HERALD_HERALDS']).toBe(urls.join());
    }
    expect(new URL(urls[0]!).hostname).toBe(`herald-0.${serve.spec.serviceName}.herald.svc`);
  });

  it('opens each port of a pod in its policy, and no other', () => {
    for (const { name, container } of sets) {
      const policy = ofKind<NetworkPolicy>('NetworkPolicy').find(({ metadata }) => metadata!.name === name)!;
      const open = policy.spec!.ingress!.flatMap(({ ports }) => ports!.map(({ port }) => port));
      expect([...new Set(open)].sort()).toEqual(
        container.ports!.map(({ containerPort }) => containerPort).sort(),
      );
    }
  });

  it('makes no secret that nobody reads', () => {
    const read = sets
      .flatMap(({ container }) => container.env!)
      .map(({ valueFrom }) => valueFrom?.secretKeyRef?.key);
    expect(Object.keys(secrets).filter((key) => !read.includes(key))).toEqual([]);
  });
});

function typeErrors(source: string): string[] {
  const file = resolve('test/kubernetes-objects.ts');
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    module: ts.ModuleKind.Preserve,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  };
  const host = ts.createCompilerHost(options);
  const compiled = host.getSourceFile.bind(host);
  const exists = host.fileExists.bind(host);
  host.fileExists = (name) => name === file || exists(name);
  host.getSourceFile = (name, version) =>
    name === file ? ts.createSourceFile(name, source, version) : compiled(name, version);
  const program = ts.createProgram([file], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
}
