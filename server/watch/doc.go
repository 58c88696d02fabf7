// Package watch takes in the files of call records that appear in a directory, or what is added to one file.
//
// The directory is looked at every few seconds; notices of the kernel only make that happen sooner. A file is
// handed to the command watch-file through whichever door is open, and moved when all of it is committed. A
// crash in between reads it again, and each of its records is then a duplicate: once in the books, at least
// once read.
//
// It may import server/ops and storage, and alone names fsnotify.
//
//	place, err := watch.Parse("/var/spool/cdr?format=asterisk-csv&zone=Europe/Berlin")
//	w, err := watch.New(place, watch.Options{Door: door, Log: log})
//	sum, err := w.Run(ctx)
package watch
