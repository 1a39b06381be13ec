/** Broker URLs with one host or several. */
import { expect, test } from 'vitest';
import { brokerHosts, parseBrokerUrl } from '../../src/contract/index.js';

test.each([
  ['mqtt://localhost', 'localhost:1883'],
  ['mqtts://a', 'a:8883'],
  ['ws://a/mqtt', 'a:80'],
  ['wss://a,b:8443/mqtt?x=1', 'a:443,b:8443'],
  ['mqtt://[::1],[fe80::1]:1884,10.0.0.1', '[::1]:1883,[fe80::1]:1884,10.0.0.1:1883'],
  ['MQTT://user:pw@a:1,b_c.d-e:65535', 'a:1,b_c.d-e:65535'],
])('%s is %s', (text, hosts) => {
  expect(brokerHosts(parseBrokerUrl(text))).toBe(hosts);
});

test('user and password are percent-decoded and may contain a colon', () => {
  expect(parseBrokerUrl('mqtt://us%40er:p%2Cw:x@a,b')).toMatchObject({
    username: 'us@er',
    password: 'p,w:x',
    hosts: [
      { host: 'a', port: 1883 },
      { host: 'b', port: 1883 },
    ],
  });
  expect(parseBrokerUrl('mqtt://user@a')).toEqual({
    protocol: 'mqtt',
    username: 'user',
    hosts: [{ host: 'a', port: 1883 }],
    path: '/',
  });
});

test.each([
  ['x', /must be a URL/],
  ['http://a', /not http/],
  ['mqtt://', /'' is not a host/],
  ['mqtt://a,', /'' is not a host/],
  ['mqtt://a:0', /port from 1 to 65535/],
  ['mqtt://a:99999', /port from 1 to 65535/],
  ['mqtt://a:b', /'a:b' is not a host/],
  ['mqtt://a b', /'a b' is not a host/],
  ['mqtt://%zz:secret@a', /percent-encoded/],
  ['mqtt://user:sec#ret@a', /must be a URL/],
])('%s is refused, without its password', (text, message) => {
  expect(() => parseBrokerUrl(text)).toThrow(message);
  try {
    parseBrokerUrl(text);
  } catch (error) {
    expect((error as Error).message).not.toContain('sec');
  }
});
