// (7) "herald/publisher": the SDK for back ends.

export type { BrokerAddress } from '../protocol/broker-address.ts';
export type { PublishIdentity } from './identity.ts';
export { PublishError } from './publisher-errors.ts';
export type { PublishErrorCode } from './publisher-errors.ts';
export type { Publisher, PublisherOptions, PublisherSnapshot, PublishHow } from './publisher-options.ts';
export { createPublisher } from './start-publisher.ts';
