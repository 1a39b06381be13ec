/** Reads the CA and the client certificate for the operator's broker. */
import { readFile } from 'node:fs/promises';
import { parseBrokerUrl } from '../contract/index.js';
import { BadSettings } from '../service/bad-settings.js';
import { certificateOf, certificatesIn } from '../service/tls/index.js';
import { type BrokerTls } from './message-link/index.js';
import { type AdapterSettings } from './settings.js';

type BrokerTlsSettings = Pick<AdapterSettings, 'mqttUrl' | 'mqttCa' | 'mqttCert' | 'mqttKey'>;

const ENCRYPTED = new Set(['mqtts', 'wss']);

/** @throws BadSettings if a file cannot be used, or would not be used */
export async function readBrokerTls(settings: BrokerTlsSettings): Promise<BrokerTls> {
  const { mqttUrl, mqttCa, mqttCert, mqttKey } = settings;
  if (mqttCa === undefined && mqttCert === undefined && mqttKey === undefined) return {};
  if (mqttUrl === undefined || !ENCRYPTED.has(parseBrokerUrl(mqttUrl).protocol)) {
    throw new BadSettings(
      '--mqtt-ca, --mqtt-cert and --mqtt-key need --mqtt-url mqtts:// or wss://',
    );
  }
  if ((mqttCert === undefined) !== (mqttKey === undefined)) {
    throw new BadSettings('--mqtt-cert and --mqtt-key must be given together');
  }
  const ca = mqttCa === undefined ? {} : { ca: await readAuthority(mqttCa) };
  if (mqttCert === undefined || mqttKey === undefined) return ca;
  return { ...ca, ...(await readClientCertificate(mqttCert, mqttKey)) };
}

async function readAuthority(file: string): Promise<string> {
  try {
    const pem = await readFile(file, 'utf8');
    certificatesIn(pem);
    return pem;
  } catch (error) {
    throw new BadSettings(`--mqtt-ca: ${file}: ${(error as Error).message}`);
  }
}

async function readClientCertificate(certFile: string, keyFile: string) {
  try {
    const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
    certificateOf(cert, key);
    return { cert, key };
  } catch (error) {
    const why = (error as Error).message;
    throw new BadSettings(`--mqtt-cert, --mqtt-key: ${certFile}, ${keyFile}: ${why}`);
  }
}
