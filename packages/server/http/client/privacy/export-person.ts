import type { ExportPerson } from '../../../services/privacy/export.ts';
import { byteStream, rawBytes } from '../../bytes.ts';
import { endpoint } from '../../endpoint.ts';
import { privacyPath } from './schemas.ts';

export const exportPerson = endpoint(
  {
    method: 'GET',
    path: `${privacyPath}/export`,
    operationId: 'exportPerson',
    summary: 'Gets everything that the server holds about you, as a zip file of JSON and media.',
    auth: 'user',
    rateLimit: 'export',
    response: rawBytes,
  },
  ({ exportData }: { exportData: ExportPerson }) =>
    ({ sender, signal }) =>
      byteStream({
        headers: {
          'Content-Type': 'application/zip',
          'Content-Disposition': 'attachment; filename="export.zip"',
          'Cache-Control': 'no-store',
        },
        open: () => exportData(sender.userId, signal),
      }),
);
