package cli

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"billd/rating/deckcsv"
	"billd/server/ops"
)

// withList opens a FILE argument that is a price list for run. The folder of a tariff plan, or one of its
// files, becomes an archive of the three.
func (a *app) withList(path string, run func(ops.Input, io.Reader) error) error {
	folder, near, err := planFolder(path)
	if err != nil || folder == "" {
		if err == nil {
			err = a.withInput(path, run)
		}
		return err
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return plain(err)
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	files, ok, err := deckcsv.FindTariffPlan(names, near)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if !ok {
		return fmt.Errorf("%s: want a price list, or the folder of a CGRateS tariff plan: %s", path, strings.Join(deckcsv.PlanFiles[:], ", "))
	}
	f, err := os.CreateTemp("", "billd-*.zip")
	if err != nil {
		return plain(err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := packPlan(f, folder, files); err != nil {
		return err
	}
	size, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return plain(err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return plain(err)
	}
	return run(ops.Input{Name: filepath.Base(path), Size: size}, f)
}

// planFolder returns where the files of a tariff plan lie if path is a folder, or, with its name as near, one
// of them; "" if path is a list of its own.
func planFolder(path string) (folder, near string, err error) {
	if path == "-" {
		return "", "", nil
	}
	at, err := os.Stat(path)
	if err != nil {
		return "", "", plain(err)
	}
	if at.IsDir() {
		return path, "", nil
	}
	if !at.Mode().IsRegular() {
		return "", "", nil // a pipe is read once
	}
	f, err := os.Open(path)
	if err != nil {
		return "", "", plain(err)
	}
	defer f.Close()
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return "", "", plain(err)
	}
	if !deckcsv.IsPlanFile(head[:n]) {
		return "", "", nil
	}
	return filepath.Dir(path), filepath.Base(path), nil
}

// packPlan writes the files into an archive, under the names that CGRateS gives them.
func packPlan(to io.Writer, folder string, files [3]string) error {
	z := zip.NewWriter(to)
	for i, name := range files {
		if err := packFile(z, deckcsv.PlanFiles[i], filepath.Join(folder, name)); err != nil {
			return err
		}
	}
	return plain(z.Close())
}

func packFile(z *zip.Writer, name, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return plain(err)
	}
	defer f.Close()
	w, err := z.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return plain(err)
}
