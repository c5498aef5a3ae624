// Thousands of clients for the price of a few: sockets are looked at once a millisecond instead of waking up
// for each write (so the server does not pay for waking its reader either), frames are counted by their
// headers, and only some connections, spread over all, are searched for the stamps that tell latency.
//
//   load-client <port> <connections> <topics> <timed> ws|nats <ready-after> <greeting> <timed-greeting> <reply>
//
// Greetings are in hex; `####` in them becomes the number of the connection's topic. The reply, if any, follows
// the first frame. A connection is ready after its handshake and so many frames. Answers one line of JSON for
// each line on stdin: "reset" or "stats".
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { AT_ONCE = 64, BUFFER = 1 << 18, MAX_SAMPLES = 2000000, LINE = 96, STAMP_DIGITS = 15 };
static const double STAMP_OFFSET_US = 1e14;

struct connection {
  int fd;
  int timed, upgraded, matched, ready;
  uint64_t skip;
  uint8_t head[LINE];
  unsigned heads;
  uint64_t frames;
};

static uint8_t buffer[BUFFER];
static float samples[MAX_SAMPLES];
static unsigned sampled, connected, ready_after;
static uint64_t frames, reads, bytes;
static int nats;
static const char *reply;
static void greet(int fd, const char *hex, unsigned topic);

static double now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

/** Finds `"t":1<14 digits>` near the start of a payload; one that is cut by the end of a read is passed over. */
static void time_frame(const uint8_t *from, const uint8_t *end) {
  const uint8_t *limit = end - from > 160 ? from + 160 : end;
  const uint8_t *at = memmem(from, limit - from, "\"t\":", 4);
  if (!at || at + 4 + STAMP_DIGITS > limit || sampled == MAX_SAMPLES) return;
  char digits[STAMP_DIGITS + 1] = {0};
  memcpy(digits, at + 4, STAMP_DIGITS);
  samples[sampled++] = (now_us() - (strtod(digits, NULL) - STAMP_OFFSET_US)) / 1e3;
}

static void count_frame(struct connection *one, const uint8_t *payload, const uint8_t *end) {
  frames++;
  one->frames++;
  if (one->timed) time_frame(payload, end);
  if (one->frames == 1 && *reply) greet(one->fd, reply, 0);
  if (!nats && one->frames == ready_after) one->ready = 1;
}

static void take_websocket(struct connection *one, const uint8_t *at, const uint8_t *end) {
  for (; !one->upgraded && at < end; at++) {
    one->matched = *at == "\r\n\r\n"[one->matched] ? one->matched + 1 : *at == '\r';
    one->upgraded = one->matched == 4;
    if (one->upgraded && ready_after == 0) one->ready = 1;
  }
  while (at < end) {
    if (one->skip > 0) {
      uint64_t step = one->skip < (uint64_t)(end - at) ? one->skip : (uint64_t)(end - at);
      one->skip -= step;
      at += step;
      continue;
    }
    one->head[one->heads++] = *at++;
    if (one->heads < 2) continue;
    unsigned size = one->head[1], needed = size < 126 ? 2 : size == 126 ? 4 : 10;
    if (one->heads < needed) continue;
    one->skip = size < 126 ? size : 0;
    for (unsigned i = 2; i < needed; i++) one->skip = one->skip << 8 | one->head[i];
    one->heads = 0;
    count_frame(one, at, end);
  }
}

/** NATS client protocol: lines, and after `MSG <subject> <sid> <size>` so many bytes and an end of line. */
static void take_nats(struct connection *one, const uint8_t *at, const uint8_t *end) {
  while (at < end) {
    if (one->skip > 0) {
      uint64_t step = one->skip < (uint64_t)(end - at) ? one->skip : (uint64_t)(end - at);
      one->skip -= step;
      at += step;
      continue;
    }
    uint8_t byte = *at++;
    if (byte != '\n') {
      if (one->heads < LINE - 1) one->head[one->heads++] = byte;
      continue;
    }
    one->head[one->heads] = 0;
    one->heads = 0;
    if (!strncmp((char *)one->head, "MSG ", 4)) {
      one->skip = strtoull(strrchr((char *)one->head, ' ') + 1, NULL, 10) + 2;
      count_frame(one, at, end);
    } else if (!strncmp((char *)one->head, "PONG", 4)) {
      one->ready = 1;
    } else if (!strncmp((char *)one->head, "-ERR", 4)) {
      fprintf(stderr, "load-client: %s\n", one->head);
    }
  }
}

static void take(struct connection *one) {
  ssize_t length = recv(one->fd, buffer, BUFFER, MSG_DONTWAIT);
  if (length < 0 && errno == EAGAIN) return;
  if (length <= 0) {
    close(one->fd);
    one->fd = -1;
    connected--;
    return;
  }
  reads++;
  bytes += length;
  if (nats) take_nats(one, buffer, buffer + length);
  else take_websocket(one, buffer, buffer + length);
}

static void greet(int fd, const char *hex, unsigned topic) {
  static uint8_t greeting[8192];
  unsigned length = strlen(hex) / 2;
  if (length > sizeof greeting) exit(2);
  for (unsigned i = 0; i < length; i++) sscanf(hex + 2 * i, "%2hhx", &greeting[i]);
  char number[5];
  snprintf(number, sizeof number, "%04u", topic % 10000);
  for (uint8_t *at = greeting; (at = memmem(at, greeting + length - at, "####", 4));) memcpy(at, number, 4);
  if (write(fd, greeting, length) != (ssize_t)length) exit(3);
}

static int by_value(const void *a, const void *b) {
  float left = *(const float *)a, right = *(const float *)b;
  return (left > right) - (left < right);
}

static void answer(const char *line) {
  if (strstr(line, "reset")) frames = reads = bytes = sampled = 0;
  qsort(samples, sampled, sizeof *samples, by_value);
  double p50 = sampled ? samples[sampled / 2] : 0, p99 = sampled ? samples[(uint64_t)sampled * 99 / 100] : 0;
  printf("{\"frames\":%lu,\"reads\":%lu,\"bytes\":%lu,\"connected\":%u,\"timed\":%u,\"p50Ms\":%.2f,\"p99Ms\":%.2f}\n",
         frames, reads, bytes, connected, sampled, p50, p99);
  fflush(stdout);
}

int main(int count, char **given) {
  if (count != 10) return 2;
  unsigned connections = atoi(given[2]), topics = atoi(given[3]), timed = atoi(given[4]);
  nats = !strcmp(given[5], "nats");
  ready_after = atoi(given[6]);
  reply = given[9];
  unsigned every = (connections + timed - 1) / timed;
  struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(atoi(given[1]))};
  inet_pton(AF_INET, "127.0.0.1", &server.sin_addr);
  struct connection *all = calloc(connections, sizeof *all);
  int events = epoll_create1(0);
  struct epoll_event found[512];

  unsigned opened = 0, ready = 0;
  while (ready < connections) {
    for (; opened < connections && opened - ready < AT_ONCE; opened++) {
      struct connection *one = &all[opened];
      one->fd = socket(AF_INET, SOCK_STREAM, 0);
      one->timed = opened % every == 0;
      if (connect(one->fd, (struct sockaddr *)&server, sizeof server) != 0) {
        perror("load-client: connect");
        return 3;
      }
      greet(one->fd, given[one->timed ? 8 : 7], opened % topics);
      struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = one};
      epoll_ctl(events, EPOLL_CTL_ADD, one->fd, &wanted);
      connected++;
    }
    int n = epoll_wait(events, found, 512, 10000);
    if (n <= 0) {
      fprintf(stderr, "load-client: %u of %u connections became ready\n", ready, connections);
      return 4;
    }
    for (int i = 0; i < n; i++) {
      struct connection *one = found[i].data.ptr;
      int before = one->ready;
      take(one);
      if (one->fd < 0) {
        fprintf(stderr, "load-client: connection %ld was closed before it was ready\n", one - all);
        return 5;
      }
      ready += one->ready - before;
    }
  }
  printf("{\"connected\":%u}\n", connected);
  fflush(stdout);

  char line[256];
  for (;;) {
    int n = epoll_wait(events, found, 512, 0);
    for (int i = 0; i < n; i++) take(found[i].data.ptr);
    struct pollfd input = {.fd = 0, .events = POLLIN};
    if (n < 512 && poll(&input, 1, 1) > 0) {
      if (!fgets(line, sizeof line, stdin)) return 0;
      answer(line);
    }
  }
}
