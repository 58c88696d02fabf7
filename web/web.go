package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"path"
	"strings"
)

//go:embed pages/*.html static/*
var files embed.FS

// mediaTypes are what Asset serves, by ending.
var mediaTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// Pages parses every page under its name without ".html", each together with layout and parts.
// funcs must hold every function that a template names; Pages panics if one is missing.
func Pages(funcs template.FuncMap) map[string]*template.Template {
	const shared = "pages/layout.html"
	base := template.Must(template.New("layout.html").Funcs(funcs).ParseFS(files, shared, "pages/parts.html"))
	names, err := fs.Glob(files, "pages/*.html")
	if err != nil {
		panic(err) // the pattern is ours
	}
	pages := map[string]*template.Template{}
	for _, name := range names {
		key := strings.TrimSuffix(path.Base(name), ".html")
		if key == "layout" || key == "parts" {
			continue
		}
		pages[key] = template.Must(template.Must(base.Clone()).ParseFS(files, name))
	}
	return pages
}

// Asset returns a static file and its media type.
func Asset(name string) (body []byte, mediaType string, ok bool) {
	mediaType, ok = mediaTypes[path.Ext(name)]
	if !ok || strings.Contains(name, "/") {
		return nil, "", false
	}
	body, err := files.ReadFile("static/" + name)
	return body, mediaType, err == nil
}

// Version returns a short hash of all static files. It is part of their addresses, so that a browser may
// keep them for ever.
func Version() string {
	names, err := fs.Glob(files, "static/*")
	if err != nil {
		panic(err) // the pattern is ours
	}
	sum := sha256.New()
	for _, name := range names {
		body, err := files.ReadFile(name)
		if err != nil {
			panic(err) // it was listed a moment ago
		}
		sum.Write([]byte(name + "\x00"))
		sum.Write(body)
	}
	return hex.EncodeToString(sum.Sum(nil)[:6])
}
