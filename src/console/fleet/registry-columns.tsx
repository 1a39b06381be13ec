import { Link } from 'wouter';
import { type RegisteredVehicle } from '../../contract/adapter-api/index.js';
import { vehicleAt } from '../app/address.js';
import { type Column } from '../ui/table.js';
import { Time } from '../ui/time.js';

export const REGISTRY_COLUMNS: readonly Column<RegisteredVehicle>[] = [
  { title: 'VIN', cell: ({ vin }) => <Link href={vehicleAt(vin)}>{vin}</Link> },
  { title: 'Model', cell: ({ model }) => model },
  { title: 'System', isMinor: true, cell: (vehicle) => vehicle.system_id },
  { title: 'Device', isMinor: true, cell: (vehicle) => vehicle.device_id },
  { title: 'ECU', isMinor: true, cell: (vehicle) => vehicle.ecu_type },
  { title: 'Changed', cell: ({ updatedAt }) => <Time at={updatedAt} /> },
];
