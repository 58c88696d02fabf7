package kazoo

import "strings"

// Endpoints lists method and path pattern of everything the dialect serves.
func (a *API) Endpoints() (list [][2]string) {
	for _, r := range a.table() {
		list = append(list, [2]string{r.method, "/v2/" + strings.TrimPrefix(r.path, "/")})
	}
	return list
}
