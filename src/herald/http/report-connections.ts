// (1) Which connection speaks for which gateway. The kernel closes a killed process's sockets within
// milliseconds, long before its silence would tell; so the close of a report connection is news.

import type { Socket } from 'node:net';

export interface ReportConnections {
  /** `socket` carried a report of `gateway`. */
  reported(gateway: string, socket: Socket): void;
  /** The gateway said goodbye: its connection may close without meaning anything. */
  goodbye(gateway: string): void;
}

/**
 * A script that opens one connection a report closes it each time and is alive; only a connection that
 * carried two reports is one whose close tells of a death. `onLost` is called once per such close.
 */
export function createReportConnections(onLost: (gateway: string) => void): ReportConnections {
  const speakers = new Map<string, { socket: Socket; reports: number }>();
  const gatewaysOf = new WeakMap<Socket, Set<string>>();

  const watch = (socket: Socket): Set<string> => {
    const gateways = new Set<string>();
    gatewaysOf.set(socket, gateways);
    socket.once('close', () => {
      for (const gateway of gateways) {
        const speaker = speakers.get(gateway);
        if (speaker?.socket !== socket) continue;
        speakers.delete(gateway);
        if (speaker.reports > 1) onLost(gateway);
      }
    });
    return gateways;
  };

  return {
    reported(gateway, socket) {
      const speaker = speakers.get(gateway);
      if (speaker?.socket === socket) {
        speaker.reports += 1;
        return;
      }
      // The newest connection speaks; an older one that closes later is a leftover.
      speakers.set(gateway, { socket, reports: 1 });
      (gatewaysOf.get(socket) ?? watch(socket)).add(gateway);
    },
    goodbye: (gateway) => void speakers.delete(gateway),
  };
}
