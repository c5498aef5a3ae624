// The ports that daemons have by default: one offset moves them all, so that two `herald up` can live side by side.

export interface UpPorts {
  public: number;
  control: number;
  agent: number;
  admin: number;
  gateway: (index: number) => number;
  broker: (index: number) => { publish: number; subscribe: number; repair: number; http: number };
}

export function portsOf(offset: number): UpPorts {
  return {
    public: 7400 + offset,
    control: 7401 + offset,
    agent: 7402 + offset,
    admin: 7403 + offset,
    gateway: (index) => 7410 + offset + index,
    broker: (index) => ({
      publish: 7420 + offset + index,
      subscribe: 7430 + offset + index,
      repair: 7440 + offset + index,
      http: 7450 + offset + index,
    }),
  };
}

/** Gateways and brokers have ten ports each before they would run into one another. */
export const MAX_UP_DAEMONS = 10;

export const local = (port: number, scheme = 'http'): string => `${scheme}://127.0.0.1:${port}`;
