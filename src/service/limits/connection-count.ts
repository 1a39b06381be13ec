/** Limits the connections of a server, in total and per address. */
import { BlockList, isIPv6, type Socket } from 'node:net';
import { clientAddress } from './client-address.js';

export interface ConnectionLimits {
  readonly inAll: number;
  /** 0: no limit, for a proxy or mobile network that represents many clients. */
  readonly perAddress: number;
}

export class ConnectionCount {
  readonly #limits: ConnectionLimits;
  readonly #byAddress = new Map<string, number>();
  readonly #proxies = new BlockList();
  #inAll = 0;

  /** @param proxies addresses and networks that represent many clients */
  constructor(limits: ConnectionLimits, proxies: readonly string[] = []) {
    this.#limits = limits;
    for (const proxy of proxies) {
      const [address = '', bits] = proxy.split('/');
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      if (bits === undefined) this.#proxies.addAddress(address, family);
      else this.#proxies.addSubnet(address, Number(bits), family);
    }
  }

  /** Counts the connection until it closes. @returns the limit that it would exceed; then it is not counted */
  add(socket: Socket): keyof ConnectionLimits | undefined {
    const { inAll, perAddress } = this.#limits;
    const address = clientAddress(socket.remoteAddress);
    const same = this.#byAddress.get(address) ?? 0;
    if (this.#inAll >= inAll) return 'inAll';
    if (perAddress > 0 && same >= perAddress && !this.#isProxy(socket)) return 'perAddress';
    this.#inAll += 1;
    this.#byAddress.set(address, same + 1);
    socket.once('close', () => this.#remove(address));
    return undefined;
  }

  #isProxy({ remoteAddress, remoteFamily }: Socket): boolean {
    if (remoteAddress === undefined) return false;
    return this.#proxies.check(remoteAddress, remoteFamily === 'IPv6' ? 'ipv6' : 'ipv4');
  }

  #remove(address: string): void {
    this.#inAll -= 1;
    const left = (this.#byAddress.get(address) ?? 1) - 1;
    if (left > 0) this.#byAddress.set(address, left);
    else this.#byAddress.delete(address);
  }
}
