/** Reads the CA and the client certificate for the operator's broker. */
import { parseBrokerUrl } from '../contract/index.js';
import { BadSettings } from '../service/bad-settings.js';
import { readAuthorities, readCertificate } from '../service/tls/index.js';
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
  const ca =
    mqttCa === undefined ? {} : { ca: (await readAuthorities('--mqtt-ca', mqttCa)).join('') };
  if (mqttCert === undefined || mqttKey === undefined) return ca;
  return { ...ca, ...(await readClientCertificate(mqttCert, mqttKey)) };
}

async function readClientCertificate(certFile: string, keyFile: string) {
  try {
    const { cert, key } = await readCertificate({ certFile, keyFile });
    return { cert, key };
  } catch (error) {
    throw new BadSettings(`--mqtt-cert, --mqtt-key: ${(error as Error).message}`);
  }
}
