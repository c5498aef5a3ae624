// The least a server in C can do: it says yes to every handshake and writes one ready buffer of k frames to
// each socket every k messages. No protocol, no groups, no limits; the frames are those a gateway writes.
//
//   floor <frames-a-write>
//
// Answers one line of JSON for each line on stdin: {"load":{"messagesPerSec":..,"bytes":..}} or "stats".
#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_SOCKETS = 20000, MAX_BATCH = 1 << 20, STAMP_AT = 6 };
static int sockets[MAX_SOCKETS];
static unsigned open_sockets;
static uint64_t delivered, writes, refused, sent;
static double rate, start_us;
static unsigned payload_bytes, per_write, waiting, filled;
static uint8_t batch[MAX_BATCH];

static double now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static void append_frame(double due_us) {
  char head[128];
  unsigned length = snprintf(head, sizeof head, "{\"op\":\"msg\",\"c\":\"bench.0000\",\"o\":%lu,\"d\":", sent + 1);
  unsigned size = length + payload_bytes + 1;
  uint8_t *at = batch + filled;
  *at++ = 0x81;
  if (size < 126) *at++ = size;
  else { *at++ = 126; *at++ = size >> 8; *at++ = size & 255; }
  memcpy(at, head, length);
  memset(at + length, 'x', payload_bytes);
  char stamp[32];
  unsigned stamped = snprintf(stamp, sizeof stamp, "{\"t\":1%014.0f,\"p\":\"", due_us);
  memcpy(at + length, stamp, stamped);
  memcpy(at + length + payload_bytes - 2, "\"}}", 3);
  filled = at + size - batch;
}

static void publish(double due_us) {
  append_frame(due_us);
  sent++;
  if (++waiting < per_write) return;
  for (unsigned i = 0; i < open_sockets; i++) {
    if (send(sockets[i], batch, filled, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)filled) refused++;
  }
  delivered += (uint64_t)waiting * open_sockets;
  writes += open_sockets;
  waiting = filled = 0;
}

static void accept_one(int listener) {
  int fd = accept(listener, NULL, NULL);
  char request[4096];
  // The greeting comes whole from loopback.
  if (fd < 0 || open_sockets == MAX_SOCKETS || recv(fd, request, sizeof request, 0) <= 0) exit(3);
  static const char yes[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
  if (write(fd, yes, sizeof yes - 1) < 0) exit(3);
  sockets[open_sockets++] = fd;
}

int main(int count, char **given) {
  if (count != 2) return 2;
  per_write = atoi(given[1]);
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 4096)) return 3;
  getsockname(listener, (struct sockaddr *)&address, &size);
  printf("{\"port\":%u}\n", ntohs(address.sin_port));
  fflush(stdout);
  struct pollfd watched[] = {{.fd = 0, .events = POLLIN}, {.fd = listener, .events = POLLIN}};
  char line[512];
  for (;;) {
    poll(watched, 2, rate > 0 ? 2 : -1);
    if (watched[1].revents) accept_one(listener);
    if (watched[0].revents) {
      if (!fgets(line, sizeof line, stdin)) return 0;
      const char *at = strstr(line, "messagesPerSec\":"), *bytes = strstr(line, "bytes\":");
      if (at && bytes) {
        rate = atof(at + 16);
        payload_bytes = atoi(bytes + 7);
        start_us = now_us();
        sent = 0;
      }
      printf("{\"delivered\":%lu,\"writes\":%lu,\"refused\":%lu}\n", delivered, writes, refused);
      fflush(stdout);
    }
    if (rate > 0) {
      uint64_t due = (now_us() - start_us) / 1e6 * rate;
      while (sent < due) publish(start_us + (sent + 1) / rate * 1e6);
    }
  }
}
