import { type Imported, type RegisteredVehicle } from '../api/adapter.js';
import { useMay } from '../app/session.js';
import { Empty } from '../ui/notes.js';
import { Page } from '../ui/page.js';
import { PagedTable } from '../ui/pager.js';
import { ImportVehicles } from './import-vehicles.js';
import { REGISTRY_COLUMNS } from './registry-columns.js';

const PATH = '/v1.0/vehicles';

export function RegistryPage() {
  const mayImport = useMay('administer');
  return (
    <Page title="Registry">
      {mayImport && (
        <ImportVehicles<Imported>
          path={PATH}
          topic="registry"
          columns="vin, system_id, device_id, ecu_type, model, credential"
          taken={({ created, updated }) => ({ new: created, changed: updated })}
          faultOf={({ line, errorCode, errorMessage }) => ({
            line,
            message: `${errorMessage} (${errorCode})`,
          })}
        />
      )}
      <PagedTable<RegisteredVehicle>
        label="Registered vehicles"
        path={PATH}
        topics={['registry']}
        columns={REGISTRY_COLUMNS}
        keyOf={({ vin }) => vin}
        limit={100}
        empty={
          <Empty title="No vehicle is registered.">
            <p>
              A vehicle is heard only if it is registered. Import a CSV with the columns{' '}
              <code>vin,system_id,device_id,ecu_type,model</code>.
            </p>
          </Empty>
        }
      />
    </Page>
  );
}
