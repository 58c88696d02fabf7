package ops

import (
	"context"

	"billd/rating"
	"billd/storage"
)

// maxDataBatch is how many records one transaction takes; more are taken in several.
const maxDataBatch = 1000

// RecordData takes records of broadband sessions in, in order, and answers what became of each once all are
// durable. It can be called again with the same records, also after a crash: they count once.
//
// A batch of up to 1,000 records is one transaction. An error means that the store failed; the records of
// earlier batches may be kept then, and giving them again does no harm.
func RecordData(ctx context.Context, env *Env, records []rating.DataRecord) ([]rating.DataVerdict, error) {
	verdicts := make([]rating.DataVerdict, 0, len(records))
	for len(records) > 0 {
		batch := records[:min(len(records), maxDataBatch)]
		records = records[len(batch):]
		done := len(verdicts)
		err := env.DB.Update(ctx, func(tx *storage.Tx) error {
			verdicts = verdicts[:done]
			for i := range batch {
				v, err := tx.RecordData(&batch[i])
				if err != nil {
					return err
				}
				verdicts = append(verdicts, v)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return verdicts, nil
}
