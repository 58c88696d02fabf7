// Package web holds what a browser is sent: page templates, one stylesheet, a few small ES modules of
// our own, an icon. It is all embedded, so `go build` alone makes the product.
//
// It imports the standard library only. Templates carry no style and no script inline, because the
// pages' content security policy refuses both; what they print is escaped by html/template.
//
// # Example
//
//	pages := web.Pages(template.FuncMap{"count": count})
//	err := pages["login"].Execute(w, data)
//	body, mediaType, ok := web.Asset("app.css") // served under /static/<Version>/
package web
