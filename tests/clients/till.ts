// A till with the client that was generated from the document: a quote, a sale, the same again, and its return.
import { client } from './client/client.gen';
import { getMember, postQuote, postReturn, postSale } from './client/sdk.gen';
import type { LineIn, OrderIn } from './client/types.gen';

const [url, key, member, order] = process.argv.slice(2);
client.setConfig({ baseUrl: url, auth: () => key });

function sure(holds: boolean, what: unknown): void {
  if (!holds) throw new Error(JSON.stringify(what));
}

async function main(): Promise<void> {
  const lines: LineIn[] = [{ item: '滤芯', category: 'parts', qty: 2, list: 36000 }];
  const now = new Date().toISOString();
  const quote = await postQuote({ body: { member, lines } });
  sure(quote.response?.status === 200 && quote.data!.total.list === 36000, quote.error);
  const body: OrderIn = { member, order, occurred_at: now, lines };
  const headers = { 'Idempotency-Key': `ts-${order}` };
  const sold = await postSale({ body, headers });
  sure(sold.response?.status === 201 && sold.data!.lines[0].list === 36000, sold.error);
  const again = await postSale({ body, headers });
  sure(again.response?.headers.get('idempotent-replayed') === 'true', again.error);
  const back = await postReturn({
    path: { order },
    body: { source_id: `${order}-R`, occurred_at: now },
    headers: { 'Idempotency-Key': `ts-${order}-R` },
  });
  sure(back.response?.status === 201, back.error);
  const nobody = await getMember({ path: { code: 'nobody' } });
  sure(nobody.error?.code === 'unknown_member', nobody.error);
  console.log('done');
}

main().catch((problem) => {
  console.error(problem);
  process.exit(1);
});
