package cluster

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"testing"
)

// customer shops with a browser that keeps cookies.
type customer struct {
	base    string
	http    http.Client
	account map[string]string
	product string
	// acknowledged has the id of the order for each key whose checkout was answered by 201.
	acknowledged map[string]string
	// unanswered are the keys of those whose customer does not know what became of them.
	unanswered []string
}

// newCustomer makes an account.
func newCustomer(t *testing.T) *customer {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &customer{base: serviceURL(t, "frontend"), http: http.Client{Jar: jar, Timeout: client.Timeout}, acknowledged: map[string]string{}}
	var page struct{ Items []struct{ ID string } }
	c.account = map[string]string{"email": rand.Text() + "@example.com", "password": rand.Text(), "name": "Ada"}
	if _, err := c.send("POST", "/api/users", "", c.account, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.send("GET", "/api/products?in_stock=true&limit=1", "", nil, &page); err != nil {
		t.Fatal(err)
	}
	c.product = page.Items[0].ID
	return c
}

// send asks the shop, and gives the status; one that tells of trouble is an error.
func (c *customer) send(method, path, key string, body, into any) (int, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	request, err := http.NewRequest(method, c.base+path, bytes.NewReader(text))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err = io.ReadAll(answer.Body)
	if err != nil {
		return 0, err
	}
	if answer.StatusCode >= 300 {
		return answer.StatusCode, fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, text)
	}
	if into == nil {
		return answer.StatusCode, nil
	}
	return answer.StatusCode, json.Unmarshal(text, into)
}

// buy puts something into the cart and checks out.
func (c *customer) buy() error {
	if _, err := c.send("PUT", "/api/cart/items/"+c.product, "", map[string]int{"quantity": 1}, nil); err != nil {
		return err
	}
	return c.checkOut(rand.Text())
}

func (c *customer) checkOut(key string) error {
	var order struct{ ID string }
	status, err := c.send("POST", "/api/orders", key, map[string]any{
		"shipping_address": map[string]string{"name": "Ada", "line1": "1 High Street", "city": "York", "postal_code": "YO1 7HH", "country": "GB"},
		"payment":          map[string]string{"card_number": "4242424242424242"},
	}, &order)
	if err == nil {
		c.acknowledged[key] = order.ID
	} else if status == 0 || status >= 500 {
		c.unanswered = append(c.unanswered, key)
	}
	return err
}

// orders are the ids of all that the shop has of this customer, with how often each is there.
func (c *customer) orders() (map[string]int, error) {
	found := map[string]int{}
	for cursor := ""; ; {
		var page struct {
			Items      []struct{ ID string }
			NextCursor string `json:"next_cursor"`
		}
		if _, err := c.send("GET", "/api/orders?limit=100"+cursor, "", nil, &page); err != nil {
			return nil, err
		}
		for _, order := range page.Items {
			found[order.ID]++
		}
		if page.NextCursor == "" {
			return found, nil
		}
		cursor = "&cursor=" + page.NextCursor
	}
}

// check compares what the customer was told with what the shop has: each acknowledged order once, and no other but those of
// checkouts without an answer, which a repetition under the same key brings to light.
func (c *customer) check(t *testing.T) {
	t.Helper()
	keys := c.unanswered
	c.unanswered = nil
	for _, key := range keys {
		// One that did not become an order finds its cart as it was, or empty by an order that did; both are answers.
		eventually(t, 2*minutes, "an answer to a checkout that had none", func() error {
			if err := c.checkOut(key); err != nil && len(c.unanswered) > 0 {
				c.unanswered = nil
				return err
			}
			return nil
		})
	}
	var found map[string]int
	eventually(t, 2*minutes, "the list of orders", func() (err error) {
		found, err = c.orders()
		return err
	})
	for key, id := range c.acknowledged {
		if found[id] != 1 {
			t.Errorf("order %s, of the checkout %s, is there %d times", id, key, found[id])
		}
		delete(found, id)
	}
	if len(found) > 0 {
		t.Errorf("nobody was told of the orders %v", found)
	}
}
