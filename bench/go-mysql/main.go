// go-mysql-json HOST PORT USER FILE [ENDFILE ENDPOS]: a reader of the binary log as one writes it in Go
// in an afternoon, with the library github.com/go-mysql-org/go-mysql and encoding/json. A peer of
// bench/run.
//
// It follows the log from the top of FILE and writes one JSON object per row change to standard
// output: the operation, the table, the images before and after with their column names, the commit
// time and the place in the log. With ENDFILE and ENDPOS it ends there; without, it stays.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"

	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"
)

const serverID = 0x7ffffff1

type change struct {
	Op     string         `json:"op"`
	Table  string         `json:"table"`
	Before map[string]any `json:"before"`
	After  map[string]any `json:"after"`
	TS     int64          `json:"ts"`
	File   string         `json:"file"`
	Pos    uint32         `json:"pos"`
}

// image gives a row its column names. Bytes that are text become strings, as a reader wants them.
func image(table *replication.TableMapEvent, row []any) map[string]any {
	named := make(map[string]any, len(row))
	for i, value := range row {
		if bytes, ok := value.([]byte); ok {
			value = string(bytes)
		}
		named[string(table.ColumnName[i])] = value
	}
	return named
}

type writer struct {
	encoder *json.Encoder
	file    string
}

func (w *writer) rows(header *replication.EventHeader, event *replication.RowsEvent) error {
	c := change{
		Table: string(event.Table.Schema) + "." + string(event.Table.Table),
		TS:    int64(header.Timestamp), File: w.file, Pos: header.LogPos,
	}
	if len(event.Table.ColumnName) == 0 {
		return fmt.Errorf("table %s has no column names: binlog_row_metadata=FULL is needed", c.Table)
	}
	step := 1
	switch event.Type() {
	case replication.EnumRowsEventTypeInsert:
		c.Op = "create"
	case replication.EnumRowsEventTypeDelete:
		c.Op = "delete"
	case replication.EnumRowsEventTypeUpdate:
		c.Op, step = "update", 2
	}
	for i := 0; i+step <= len(event.Rows); i += step {
		c.Before, c.After = nil, nil
		switch c.Op {
		case "create":
			c.After = image(event.Table, event.Rows[i])
		case "delete":
			c.Before = image(event.Table, event.Rows[i])
		default:
			c.Before = image(event.Table, event.Rows[i])
			c.After = image(event.Table, event.Rows[i+1])
		}
		if err := w.encoder.Encode(&c); err != nil {
			return err
		}
	}
	return nil
}

func follow(config replication.BinlogSyncerConfig, file string, endFile string, endPos uint32) error {
	syncer := replication.NewBinlogSyncer(config)
	defer syncer.Close()
	stream, err := syncer.StartSync(mysql.Position{Name: file, Pos: 4})
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(os.Stdout, 64*1024)
	w := writer{encoder: json.NewEncoder(out), file: file}
	for {
		event, err := stream.GetEvent(context.Background())
		if err != nil {
			return err
		}
		switch body := event.Event.(type) {
		case *replication.RotateEvent:
			w.file = string(body.NextLogName)
		case *replication.RowsEvent:
			if err := w.rows(event.Header, body); err != nil {
				return err
			}
		case *replication.TransactionPayloadEvent:
			for _, packed := range body.Events {
				if rows, ok := packed.Event.(*replication.RowsEvent); ok {
					if err := w.rows(packed.Header, rows); err != nil {
						return err
					}
				}
			}
		case *replication.XIDEvent:
			// A reader that stays is read by somebody who waits; one that drains a log fills its
			// buffer.
			if endFile == "" {
				if err := out.Flush(); err != nil {
					return err
				}
			}
		}
		if endFile != "" && w.file == endFile && event.Header.LogPos >= endPos {
			return out.Flush()
		}
	}
}

func run() error {
	if len(os.Args) != 5 && len(os.Args) != 7 {
		return fmt.Errorf("usage: go-mysql-json HOST PORT USER FILE [ENDFILE ENDPOS]")
	}
	port, err := strconv.ParseUint(os.Args[2], 10, 16)
	if err != nil {
		return err
	}
	var endFile string
	var endPos uint64
	if len(os.Args) == 7 {
		endFile = os.Args[5]
		if endPos, err = strconv.ParseUint(os.Args[6], 10, 32); err != nil {
			return err
		}
	}
	flavor := mysql.MariaDBFlavor
	if os.Getenv("FLAVOR") == "mysql" {
		flavor = mysql.MySQLFlavor
	}
	config := replication.BinlogSyncerConfig{
		ServerID: serverID, Flavor: flavor, Host: os.Args[1], Port: uint16(port),
		User: os.Args[3], Password: os.Getenv("MYSQL_PWD"),
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	return follow(config, os.Args[4], endFile, uint32(endPos))
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "go-mysql-json:", err)
		os.Exit(1)
	}
}
