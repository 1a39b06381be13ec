import { registryApi } from '../../contract/adapter-api/index.js';
import { useIsLimited, useMay } from '../app/session.js';
import { Empty } from '../ui/notes.js';
import { Page } from '../ui/page.js';
import { PagedTable } from '../ui/pager.js';
import { ImportVehicles } from './import-vehicles.js';
import { REGISTRY_COLUMNS } from './registry-columns.js';

export function RegistryPage() {
  const isLimited = useIsLimited();
  const mayImport = useMay('administer') && !isLimited;
  return (
    <Page title="Registry">
      {mayImport && (
        <ImportVehicles
          route={registryApi.importVehicles}
          topic="registry"
          columns="vin, system_id, device_id, ecu_type, model, credential"
          imported={({ created, updated }) => ({ new: created, changed: updated })}
        />
      )}
      <PagedTable
        label="Registered vehicles"
        route={registryApi.listRegistrations}
        request={{}}
        topics={['registry']}
        columns={REGISTRY_COLUMNS}
        keyOf={({ vin }) => vin}
        limit={100}
        empty={
          <Empty title="No vehicles are registered.">
            <p>
              Messages from unregistered vehicles are rejected. Import a CSV with the columns{' '}
              <code>vin,system_id,device_id,ecu_type,model</code>.
            </p>
          </Empty>
        }
      />
    </Page>
  );
}
